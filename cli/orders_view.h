// Orders as the API server has them: a table, JSON or YAML. Pure.
//
//   out << OrdersText(orders, {.all_namespaces = true, .now = now}, style);
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "cli/style.h"

namespace korder::cli {

struct ListView {
  bool all_namespaces = false;  // a column for them
  absl::Time now;
};

// By namespace and name. The windows are those of the spec and the clock, so they are there
// whatever order-svc has come to.
std::string OrdersText(std::vector<api::Order> orders, const ListView& view, const Style& style);

}  // namespace korder::cli
