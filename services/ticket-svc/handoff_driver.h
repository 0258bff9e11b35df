// Carries a handoff through: looks, asks HandoffStep what to do, does it, and looks again, until
// the handoff is over or it is the scheduler's turn.
//
//   ASSIGN_OR_RETURN(const std::optional<absl::Duration> wait, driver.Drive(ticket, stop));
//
// Between the steps it goes on with the objects that its own writes returned. Before it gives a
// handoff up it reads everything anew from the server.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/event_recorder.h"
#include "ticket-svc/handoff_patches.h"
#include "ticket-svc/handoff_step.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

struct HandoffOptions {
  // Waited between the guardian's deletion and the opening of the gate; needed before 1.35, where
  // the scheduler may handle the two in another order.
  absl::Duration settle;
};

// Thread-safe; never called for one ticket at the same time.
class HandoffDriver {
 public:
  // Borrows everything.
  HandoffDriver(kube::Client& client, World& world, kube::EventRecorder& events, Metrics& metrics,
                const Clock& clock);

  // REQUIRES: nothing runs yet.
  void Set(HandoffOptions options) { options_ = options; }

  // How long to wait before the next look; nothing when the handoff is over.
  // REQUIRES: ticket->status.handoff.
  absl::StatusOr<std::optional<absl::Duration>> Drive(const TicketPtr& ticket,
                                                      std::stop_token stop);

 private:
  // What one handoff is about, at one moment.
  struct Scene {
    TicketPtr ticket;
    PodPtr pod;
    PodPtr guardian;
    NodePtr node;
    bool live = false;  // read from the server, not from a watch
  };

  Scene Look(const TicketPtr& ticket) const;
  // Reads everything from the server; false when the ticket has this handoff no more.
  absl::StatusOr<bool> Refresh(Scene& scene, std::stop_token stop);
  HandoffMove Step(const Scene& scene);

  absl::Status Perform(const HandoffMove& move, Scene& scene, std::stop_token stop);
  absl::Status Nominate(Scene& scene, std::stop_token stop);
  absl::Status Release(Scene& scene, std::stop_token stop);
  absl::Status Ungate(Scene& scene, std::stop_token stop);
  absl::Status Claimed(Scene& scene, std::stop_token stop);
  absl::Status GiveUp(const HandoffMove& move, Scene& scene, std::stop_token stop);
  // What the pod is told when it does not get the room.
  absl::Status TellPod(const HandoffMove& move, const Scene& scene, std::stop_token stop);
  absl::Status WriteStatus(Scene& scene, api::TicketStatus status, std::stop_token stop);
  absl::Status PatchPod(const PodPatch& patch, Scene& scene, std::stop_token stop);
  void Ended(const HandoffMove& move, const Scene& before);

  kube::Client& client_;
  World& world_;
  kube::EventRecorder& events_;
  Metrics& metrics_;
  const Clock& clock_;
  HandoffOptions options_;

  Mutex mu_;
  // When this process first saw the guardian of a handoff gone.
  std::map<std::string, MonoTime> gone_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
