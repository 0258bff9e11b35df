// What an order will do, from its spec, the nodes and the clock: its windows with their tickets,
// and how much of it the nodes could hold. Decides nothing and promises nothing. Pure.
//
//   ASSIGN_OR_RETURN(const OrderPreview preview, PreviewOrder(order, nodes, {.now = now}));
//   const OrderCalendar calendar = PlanCalendar(orders, nodes, {.from = now, .to = now + week});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/order_windows.h"
#include "base/status.h"
#include "order-svc/observed.h"

namespace korder::order {

using OrderPtr = std::shared_ptr<const api::Order>;

// --- one order that may not be there yet ---

struct PlannedWindow {
  api::Window window;
  absl::Time prepared;  // when guardians are made
  int32_t tickets = 0;
  bool skipped = false;
  bool running = false;

  bool operator==(const PlannedWindow&) const = default;
};

// What nodes could hold if they were empty.
struct NodeFit {
  int32_t nodes = 0;
  int32_t eligible = 0;
  int32_t large_enough = 0;  // for one ticket
  int64_t tickets = 0;       // on all of them together

  bool operator==(const NodeFit&) const = default;
};

struct PreviewQuestion {
  absl::Time now;
  std::optional<absl::Time> from;  // windows that are not over then; absent: now
  size_t windows = 5;
  bool exists = false;  // an order of this name is there already
};

struct OrderPreview {
  absl::TimeZone zone;
  std::vector<PlannedWindow> windows;  // the oldest first
  NodeFit nodes;
  std::vector<std::string> notes;
};

// INVALID_ARGUMENT with everything that is wrong with the order.
absl::StatusOr<OrderPreview> PreviewOrder(const api::Order& order,
                                          const std::vector<NodePtr>& nodes,
                                          const PreviewQuestion& question);

NodeFit FitOnNodes(const api::OrderSpec& spec, const std::vector<NodePtr>& nodes);

// --- all orders that there are ---

struct CalendarQuestion {
  std::string ns;     // empty: all
  std::string order;  // empty: all
  absl::Time now;
  absl::Time from;
  absl::Time to;
  size_t limit = 1000;
};

struct CalendarEntry {
  std::string ns;
  std::string order;
  api::Window window;
  int32_t tickets = 0;
  api::StrategyType strategy = api::StrategyType::kOneTime;
  bool skipped = false;
  bool paused = false;
  bool running = false;

  bool operator==(const CalendarEntry&) const = default;
};

struct OrderCalendar {
  std::vector<CalendarEntry> entries;  // by start, namespace and order
  bool truncated = false;              // there are more than the limit
  std::vector<std::string> notes;
};

// The windows that overlap [from, to), the earliest that the limit lets through.
OrderCalendar PlanCalendar(const std::vector<OrderPtr>& orders, const std::vector<NodePtr>& nodes,
                           const CalendarQuestion& question);

}  // namespace korder::order
