// What ticket-svc is about to do for one Ticket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/ticket.h"
#include "kube/object_key.h"

namespace korder::ticket {

// Asks quota-svc. When it denies or cannot answer, nothing after this is done.
struct ConfirmCharge {
  bool operator==(const ConfirmCharge&) const = default;
};

// Asks quota-svc whether the window may end so late (infinite: never). When it denies or cannot
// answer, nothing after this is done.
struct ConfirmLonger {
  absl::Time end;
  bool operator==(const ConfirmLonger&) const = default;
};

struct CreateGuardian {
  int32_t incarnation = 1;
  bool operator==(const CreateGuardian&) const = default;
};

struct DeleteGuardian {
  kube::ObjectKey key;
  std::string uid;  // precondition
  bool operator==(const DeleteGuardian&) const = default;
};

// Deletes a guardian that found no room where it was made to look; the next one is made later.
struct StepAside {
  kube::ObjectKey key;
  std::string uid;  // precondition
  bool operator==(const StepAside&) const = default;
};

struct WriteStatus {
  api::TicketStatus status;
  bool operator==(const WriteStatus&) const = default;
};

struct DeleteTicket {
  bool operator==(const DeleteTicket&) const = default;
};

using Action = std::variant<ConfirmCharge, ConfirmLonger, CreateGuardian, DeleteGuardian, StepAside,
                            WriteStatus, DeleteTicket>;

struct EventNote {
  bool warning = false;
  std::string reason;
  std::string message;
  bool operator==(const EventNote&) const = default;
};

struct Plan {
  std::vector<Action> actions;    // in this order; the first failure ends it
  std::vector<EventNote> events;  // about the ticket, once the actions are done
  std::optional<absl::Duration> requeue_after;

  void LookAgainIn(absl::Duration delay) {
    requeue_after = requeue_after && *requeue_after < delay ? *requeue_after : delay;
  }
};

}  // namespace korder::ticket
