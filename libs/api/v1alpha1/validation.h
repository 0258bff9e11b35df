// Checks objects beyond what their JSON form can say. All problems are reported at once, each with
// path, value and rule, in the order of the fields:
//
//   for (const FieldError& error : Validate(order)) { ... }
//   // spec.strategy.schedule: "61 * * * *": minute must be 0-59
//
// The CRD schema states many of the same rules, so most are refused by the API server already;
// these functions stand behind it where a rule cannot be said there, and guard the services against
// objects that slipped past. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"
#include "api/value/field_error.h"

namespace korder::api {

std::vector<FieldError> Validate(const Order& order);
std::vector<FieldError> Validate(const Ticket& ticket);
std::vector<FieldError> Validate(const Quota& quota);
std::vector<FieldError> Validate(const ClaimPolicy& policy);

// Everything that is wrong with `now`, including changes that are not allowed. Nothing for an
// object that is being deleted: its finalizers must be removable whatever its spec says.
std::vector<FieldError> ValidateUpdate(const Order& old, const Order& now);
std::vector<FieldError> ValidateUpdate(const Ticket& old, const Ticket& now);
std::vector<FieldError> ValidateUpdate(const Quota& old, const Quota& now);
std::vector<FieldError> ValidateUpdate(const ClaimPolicy& old, const ClaimPolicy& now);

// What is allowed and yet hardly meant: a cap of a namespace above the quota's own limit.
std::vector<std::string> Warnings(const Quota& quota);

}  // namespace korder::api
