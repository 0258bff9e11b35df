// Carries the handoffs of one node through, together: looks, asks DecideBatch what to do, does it,
// and looks again, until all are over or it is somebody else's turn. The keys are {"", node}.
//
// Between the steps it goes on with the objects that its own writes returned. Before it gives a
// handoff up it reads everything anew from the server.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "ticket-svc/disturbance.h"
#include "ticket-svc/fence.h"
#include "ticket-svc/guardian_traffic.h"
#include "ticket-svc/handoff_options.h"
#include "ticket-svc/handoff_patches.h"
#include "ticket-svc/handoff_step.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/node_locks.h"
#include "ticket-svc/scheduler_pulse.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// The key of a node in the handoffs queue.
inline kube::ObjectKey NodeKey(const std::string& node) { return {"", node}; }

// Thread-safe; the controller never calls it for one node at the same time.
class HandoffReconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    NodeLocks& locks;
    Fences& fences;
    GuardianTraffic& traffic;
    SchedulerPulse& pulse;
    const Disturbance& disturbance;
    kube::EventRecorder& events;
    Metrics& metrics;
    const Clock& clock;
  };

  // Borrows all parts. `freed` is called with a node when no handoff is left on it.
  HandoffReconciler(Parts parts, HandoffOptions options,
                    std::function<void(const std::string&)> freed);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

  // Call when leadership begins.
  void ForgetAll();

 private:
  // What one handoff is about, at one moment.
  struct Scene {
    TicketPtr ticket;
    PodPtr pod;
    OwnPodPtr guardian;
    NodePtr node;
    bool live = false;       // read from the server, not from a watch
    bool contested = false;  // another pod is nominated to the node
    bool over = false;
  };
  // What this process remembers of one, beyond what the world shows.
  struct Memory {
    std::optional<uint64_t> marked_at;    // Doubts() at the last nomination
    std::optional<Fences::Token> fence;   // asked after the last nomination
    std::optional<uint64_t> began;        // the moment from which on guardians avoid the node
    std::optional<MonoTime> since;        // when this process first looked at it
    std::optional<MonoTime> renominated;  // when the gate was open already
    bool saw_guardian = false;
    std::optional<MonoTime> gone_since;  // when this process first saw the guardian gone
  };

  std::vector<Scene> Look(const std::string& node) const;
  // Reads everything from the server. The scene is over when the ticket has this handoff no more.
  absl::Status Refresh(Scene& scene, std::stop_token stop);
  // Of the scene as it is now: its node is looked up anew. `patience` is for the scheduler.
  HandoffView View(Scene& scene, absl::Duration patience);
  absl::Duration AgeOf(const api::TicketHandoff& handoff);
  // Grows whenever the scheduler may have begun anew.
  uint64_t Doubts(const std::string& scheduler) const;
  // Guardians that might take the room.
  std::vector<OwnPodPtr> Rivals(const Scene& scene) const;
  std::vector<HandoffMove> Decide(std::span<Scene> scenes, absl::Duration patience);

  // One step of all that can take one. False when nothing was to be done.
  absl::StatusOr<bool> Advance(std::vector<Scene>& scenes, std::span<const HandoffMove> moves,
                               std::stop_token stop);
  // Asks the scheduler for those that need its answer; true when one has come already.
  bool AskFences(std::span<const Scene> scenes, std::span<const HandoffMove> moves);
  // What was nominated may have been cleared since, by a preemptor; and others may be nominated.
  // Both must be known as they are now before a guardian is given up.
  absl::Status LookOnceMore(std::span<const Scene> scenes, std::span<Scene*> to_release,
                            std::stop_token stop);

  absl::Status Perform(const HandoffMove& move, Scene& scene, std::stop_token stop);
  absl::Status Clear(const Scene& scene, std::stop_token stop);
  absl::Status Mark(Scene& scene, std::stop_token stop);
  absl::Status Release(Scene& scene, std::stop_token stop);
  absl::Status Ungate(Scene& scene, std::stop_token stop);
  absl::Status Claimed(Scene& scene, std::stop_token stop);
  absl::Status GiveUp(const HandoffMove& move, Scene& scene, std::stop_token stop);
  // What the pod is told when it does not get the room.
  absl::Status TellPod(const HandoffMove& move, const Scene& scene, std::stop_token stop);
  absl::Status WriteStatus(Scene& scene, api::TicketStatus status, std::stop_token stop);
  absl::Status PatchPod(const PodPatch& patch, Scene& scene, std::stop_token stop);
  void Ended(const HandoffMove& move, const Scene& before);

  const Parts parts_;
  const HandoffOptions options_;
  const HandoffMethod& method_;
  const std::function<void(const std::string&)> freed_;

  Mutex mu_;
  absl::flat_hash_map<std::string, Memory> memory_ ABSL_GUARDED_BY(mu_);  // by handoff id
};

}  // namespace korder::ticket
