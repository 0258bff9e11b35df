// What is allowed in an Order or a ClaimPolicy and yet hardly meant: settings without effect, and
// such as defeat each other. For those who apply the object; nothing is refused for it.
//
//   for (const std::string& warning : Warnings(order)) { ... kubectl prints it ... }
#pragma once

#include <string>
#include <vector>

#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/order.h"

namespace korder::api {

// REQUIRES: the object is valid.
std::vector<std::string> Warnings(const Order& order);
std::vector<std::string> Warnings(const ClaimPolicy& policy);

}  // namespace korder::api
