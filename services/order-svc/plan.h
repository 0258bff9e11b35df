// What order-svc is about to do for one Order, in this order: reserve and create, delete, write
// status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "kube/object_key.h"
#include "order-svc/observed.h"

namespace korder::order {

struct NewTicket {
  int64_t ordinal = 0;
  api::Ticket ticket;
  bool operator==(const NewTicket&) const = default;
};

struct DeleteTicket {
  kube::ObjectKey key;
  std::string uid;  // precondition: a ticket of the same name made since is left alone
  int64_t ordinal = 0;
  bool operator==(const DeleteTicket&) const = default;
};

struct EventNote {
  std::string type;  // "Normal" or "Warning"
  std::string reason;
  std::string message;
  bool operator==(const EventNote&) const = default;
};

struct Plan {
  // False: the order is being deleted or cannot be served; nothing is made or deleted for it.
  bool serves = true;
  std::vector<NewTicket> create;
  std::vector<DeleteTicket> remove;
  // What to remember from now on. Ordinals in `create` are not in memory.slots yet: they enter when
  // their ticket was made.
  Memory memory;
  // The status as far as it can be told before the creations are tried.
  api::OrderStatus status;
  std::vector<EventNote> events;
  std::optional<absl::Duration> requeue_after;
};

// What became of plan.create and plan.remove.
struct Outcome {
  std::vector<int64_t> created;  // made now, or found to be there already
  std::vector<int64_t> taken;    // names that belong to somebody else
  std::vector<int64_t> failed;   // neither: they may or may not be there
  std::vector<int64_t> deleted;  // their deletion was accepted, or they were gone
  bool again = false;            // there is more to create
  std::string denied;            // the first quota's message; empty = none was denied
  std::optional<absl::Time> denied_until;
  std::string no_ledger;  // why quota-svc could not be asked; empty = it answered
};

}  // namespace korder::order
