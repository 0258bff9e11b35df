// Performs the steps of a ticket's handoff, as HandoffStep says, with the newest objects at each
// step.
//
//   ASSIGN_OR_RETURN(const HandoffEnd end, runner.Run(ticket, stop));
//
// Every step may be repeated: a write is guarded by resourceVersion or UID, and after a conflict
// the objects are read again and the step is decided anew. Thread-safe; never run for one ticket
// twice at a time (the ticket's reconciler is the only caller).
#pragma once

#include <optional>
#include <stop_token>

#include "absl/time/time.h"
#include "base/clock.h"
#include "kube/client.h"
#include "kube/event_recorder.h"
#include "ticket-svc/handoff_step.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

struct HandoffProgress {
  // When to look again; absent when the handoff has ended.
  std::optional<absl::Duration> again;
  // The ticket's status at the end of the handoff, to be written.
  std::optional<api::TicketStatus> status;
};

class HandoffRunner {
 public:
  // Borrows everything. `settle` is how long the guardian must be gone before the gate opens: zero
  // for servers from 1.35 on.
  HandoffRunner(kube::Client& client, const World& world, kube::EventRecorder& events,
                Metrics& metrics, const Clock& clock, absl::Duration settle);

  // REQUIRES: ticket.status.handoff.
  absl::StatusOr<HandoffProgress> Run(const api::Ticket& ticket, std::stop_token stop);

 private:
  struct Cast;

  absl::Status Look(const api::Ticket& ticket, Cast& cast, std::stop_token stop);
  absl::Status Perform(const api::Ticket& ticket, HandoffAct act, Cast& cast, std::stop_token stop);
  absl::Status Nominate(const api::Ticket& ticket, Cast& cast, std::stop_token stop);
  absl::Status Release(const api::Ticket& ticket, Cast& cast, std::stop_token stop);
  absl::Status Ungate(const api::Ticket& ticket, Cast& cast, std::stop_token stop);
  absl::Status ClearMark(Cast& cast, std::stop_token stop);
  absl::StatusOr<HandoffProgress> End(const api::Ticket& ticket, const HandoffMove& move,
                                      Cast& cast, std::stop_token stop);

  kube::Client& client_;
  const World& world_;
  kube::EventRecorder& events_;
  Metrics& metrics_;
  const Clock& clock_;
  const absl::Duration settle_;
};

}  // namespace korder::ticket
