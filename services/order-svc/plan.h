// What order-svc is about to do for one Order, in this order: reserve and create, renew, delete,
// write status.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "kube/object_key.h"
#include "order-svc/observed.h"

namespace korder::order {

// Tickets that one plan creates at most; the next plan goes on.
inline constexpr size_t kBatch = 500;

// What MakeTicket needs to know; made for those that are created now, which may be few of them.
struct NewTicket {
  int64_t ordinal = 0;
  Cell cell;
  bool operator==(const NewTicket&) const = default;
};

struct DeleteTicket {
  kube::ObjectKey key;
  std::string uid;  // precondition: a ticket of the same name made since is left alone
  int64_t ordinal = 0;
  bool operator==(const DeleteTicket&) const = default;
};

// Makes a ticket last longer.
struct RenewTicket {
  int64_t ordinal = 0;
  kube::ObjectKey key;
  std::string uid;               // precondition
  std::string resource_version;  // precondition: it is as it was seen
  absl::Duration duration;       // its new spec.duration
  absl::Time tick;               // for which it is renewed
  bool operator==(const RenewTicket&) const = default;
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
  bool more = false;     // there is more to create than one plan does
  bool surging = false;  // `create` is a rollout's one extra ticket
  int64_t outdated = 0;  // unclaimed tickets of an older template
  std::vector<RenewTicket> renew;
  std::vector<DeleteTicket> remove;
  // What to remember from now on. Ordinals in `create` are not in the books yet: they enter when
  // their ticket was made.
  Memory memory;
  // The status as far as it can be told before the creations are tried.
  api::OrderStatus status;
  std::vector<EventNote> events;
  // How late after its time each window begins that begins now.
  std::vector<absl::Duration> start_delays;
  std::optional<absl::Duration> requeue_after;

  void LookAgainIn(absl::Duration delay) {
    requeue_after = requeue_after ? std::min(*requeue_after, delay) : delay;
  }
};

// What became of a plan.
struct Outcome {
  std::vector<int64_t> created;  // made now, or found to be there already
  std::vector<int64_t> taken;    // names that belong to somebody else
  std::vector<int64_t> failed;   // neither: they may or may not be there
  std::vector<int64_t> deleted;  // their deletion was accepted, or they were gone
  std::vector<int64_t> renewed;
  bool again = false;  // there is more to create
  bool paced = false;  // and it has to wait for its turn
  std::string denied;  // the first quota's message; empty = none was denied
  std::optional<absl::Time> denied_until;
  std::string no_ledger;  // why quota-svc could not be asked; empty = it answered
};

}  // namespace korder::order
