// What order-svc knows of one Order at one moment.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "order-svc/ordinal_set.h"

namespace korder::order {

// What this process remembers about an order while it leads, newer than what the watch has shown.
struct Memory {
  // The ordinals that count against spec.replicas.
  OrdinalSet slots;
  // Never handed out before: larger than every ordinal used so far.
  int64_t next_ordinal = 0;
  // Made by this process and not seen in the store yet, so their absence means nothing.
  std::set<int64_t> unseen;
  // Their deletion was accepted; the store may still show them as they were.
  std::set<int64_t> deleted;
  // Tried below next_ordinal without knowing the outcome: the same names are tried again first.
  std::set<int64_t> unsure;
  // Since when quota-svc could not be asked; absent while it answers.
  std::optional<absl::Time> no_ledger_since;
};

struct Observed {
  std::shared_ptr<const api::Order> order;
  // Those whose managing owner is this order, by UID.
  std::vector<std::shared_ptr<const api::Ticket>> tickets;
  // Absent at the first look; then Order.status tells.
  std::optional<Memory> memory;
  absl::Time now;
};

}  // namespace korder::order
