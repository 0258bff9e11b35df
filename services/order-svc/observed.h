// What order-svc knows of one Order at one moment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "api/core/node.h"
#include "api/v1alpha1/order.h"
#include "order-svc/order_ticket.h"
#include "order-svc/ordinal_set.h"

namespace korder::order {

using TicketPtr = std::shared_ptr<const OrderTicket>;
using NodePtr = std::shared_ptr<const api::Node>;

// Tickets of a Scheduled order belong to an occurrence, named by its start. All tickets of another
// order belong together, under this name.
inline constexpr absl::Time kNoOccurrence = absl::InfinitePast();

// What a ticket is for.
struct Cell {
  absl::Time occurrence = kNoOccurrence;
  std::string node;  // with daemonSet

  bool operator==(const Cell&) const = default;
  friend bool operator<(const Cell& a, const Cell& b) {
    return std::tie(a.occurrence, a.node) < std::tie(b.occurrence, b.node);
  }
};

// Who has had a ticket in one occurrence.
struct Book {
  // The ordinals that count against what is wanted.
  OrdinalSet slots;
  // With daemonSet: nodes whose one ticket is used up and, with its ordinal, forgotten.
  std::set<std::string, std::less<>> used_nodes;
  // Why the occurrence is left out; empty when it is served.
  std::string skipped;

  bool operator==(const Book&) const = default;
};

// What this process remembers about an order while it leads, newer than what the watch has shown.
struct Memory {
  std::map<absl::Time, Book> books;
  // Never handed out before: larger than every ordinal used so far.
  int64_t next_ordinal = 0;
  // Made by this process and not seen in the store yet, so their absence means nothing.
  std::map<int64_t, Cell> unseen;
  // Their deletion was accepted; the store may still show them as they were.
  std::set<int64_t> deleted;
  // Tried below next_ordinal without knowing the outcome: the same names are tried again first.
  std::map<int64_t, Cell> unsure;
  // With daemonSet: where the counted tickets are, for when one is gone.
  std::map<int64_t, std::string> node_of;
  // Renewed by this process: the resourceVersion that the renewal was based on.
  std::map<int64_t, std::string> renewed;
  // The last tick that was dealt with.
  std::optional<absl::Time> last_tick;
  // The newest window whose opening was told.
  std::optional<absl::Time> told_open;
  // A rollout's extra ticket was denied: it goes on without one.
  bool no_surge = false;
  // How often in a row quota-svc denied.
  int denials = 0;
  // Since when quota-svc could not be asked; absent while it answers.
  std::optional<absl::Time> no_ledger_since;
};

struct Observed {
  std::shared_ptr<const api::Order> order;
  // Those whose managing owner is this order, by UID.
  std::vector<TicketPtr> tickets;
  // Every node of the cluster; only for an order with daemonSet.
  std::vector<NodePtr> nodes = {};
  // Absent at the first look; then Order.status tells.
  std::optional<Memory> memory;
  absl::Time now;
};

}  // namespace korder::order
