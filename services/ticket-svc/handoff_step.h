// The next step of a handoff, derived from what the world looks like, so that whoever leads can go
// on after a crash at any point. Pure.
//
//   const HandoffMove move = HandoffStep(view);   // {kRelease}: delete the guardian now
//
// Every handoff marks the pod, deletes the guardian, opens the gate and waits for the scheduler;
// after the guardian is gone there is no way back. What keeps others out of the room meanwhile is
// the method's business (handoff_method.h). Several handoffs on one node are decided together
// (handoff_batch.h).
#pragma once

#include <array>
#include <string_view>

#include "absl/time/time.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/meta/enum_names.h"
#include "api/v1alpha1/ticket.h"
#include "ticket-svc/own_pod.h"

namespace korder::ticket {

// How long a nomination that somebody clears is made again.
inline constexpr absl::Duration kHandoffPatience = absl::Seconds(10);

class HandoffMethod;

struct HandoffView {
  const api::TicketHandoff& record;
  const HandoffMethod& method;
  const api::Pod* pod = nullptr;     // with the record's UID; null when it is gone
  const OwnPod* guardian = nullptr;  // with the record's UID; null when it is gone
  const api::Node* node = nullptr;   // null when it is gone
  // The ticket's window is over: give the room away only if that cannot be helped any more.
  bool window_over = false;
  // The scheduler may have begun anew since the nomination. Until 1.36 one that does so overlooks
  // the nomination of a pod whose gate is shut, unless the pod changes.
  bool maybe_forgotten = false;
  // The scheduler must say that it has seen the nomination, or that it works at all, before the
  // release.
  bool needs_fence = false;
  // Guardians that look for room might take this one: those that have been refused, or look for too
  // long, and those that may find another one any moment, or are being made.
  int stuck_guardians = 0;
  int seeking_guardians = 0;
  // Another pod is nominated to the node and would be in the way. Looked at before a release only.
  bool contested = false;
  // How long the guardian must be gone before the gate is opened (servers before 1.35), and how
  // long it has been gone as far as this process knows.
  absl::Duration settle;
  absl::Duration gone_for = absl::InfiniteDuration();
  absl::Duration age;  // for how long the handoff has been under way
  // How long ago this process last made the nomination again although the gate was open already.
  absl::Duration renominated_ago = absl::InfiniteDuration();
};

enum class HandoffAct {
  kClear,    // make guardians that found no room step aside
  kMark,     // write the mark, and the nomination if the method has one
  kFence,    // ask the scheduler whether it has seen the nomination, and wait for the answer
  kRelease,  // delete the guardian
  kUngate,   // open the gate
  kWait,     // it is the scheduler's turn
  kClaimed,  // the pod is bound to the node: done
  kAbort,    // undo; the guardian still holds the room
  kMissed,   // the pod was bound elsewhere, the room is lost
  kLost      // the room is lost and the pod did not get it
};

enum class HandoffReason {
  kNone,
  kPodGone,
  kPodRejected,
  kBoundElsewhere,
  kBoundEarly,
  kTakenByAnother,
  kGateGone,
  kOtherGate,
  kNodeGone,
  kNodeUnfit,
  kGuardianLost,
  kWindowOver,
  kContested,
  kTimeout
};
constexpr auto EnumNames(HandoffReason) {
  return std::to_array<std::string_view>({"None", "PodGone", "PodRejected", "BoundElsewhere",
                                          "BoundEarly", "TakenByAnother", "GateGone", "OtherGate",
                                          "NodeGone", "NodeUnfit", "GuardianLost", "WindowOver",
                                          "Contested", "Timeout"});
}

// A wait that nobody ends by a change is looked at again after this long.
inline constexpr absl::Duration kLookAgain = absl::Seconds(1);

struct HandoffMove {
  HandoffAct act = HandoffAct::kWait;
  HandoffReason reason = HandoffReason::kNone;  // of kAbort, kMissed, kLost
  absl::Duration wait;                          // of kWait: when to look again at the latest
  bool operator==(const HandoffMove&) const = default;
};

HandoffMove HandoffStep(const HandoffView& view);

// Where a handoff stands, in the order in which it gets there.
enum class HandoffStage {
  kHeld,      // the guardian holds the room; the pod is not ready to take it
  kMarked,    // the guardian holds the room; the pod is marked, and nominated if need be
  kReleased,  // the guardian is gone, the gate is shut
  kOpen,      // the gate is open, the pod not bound
  kOver       // the pod is bound, or gone
};
constexpr auto EnumNames(HandoffStage) {
  return std::to_array<std::string_view>({"Held", "Marked", "Released", "Open", "Over"});
}
HandoffStage StageOf(const HandoffView& view);

// For how long a handoff has been under way: by its record, or by what this process has seen of it,
// should the clock have been set back since the promise.
absl::Duration AgeOf(const api::TicketHandoff& record, absl::Time now, absl::Duration waited);

// Helpers for the methods.
bool IsNominated(const HandoffView& view);
bool OutOfPatience(const HandoffView& view);
HandoffMove WaitFor(absl::Duration at_most);
HandoffMove DoNext(HandoffAct act);
HandoffMove Lose(HandoffReason reason);

// The handoff has ended without the pod in the ticket's room.
constexpr bool GivesUp(HandoffAct act) {
  return act == HandoffAct::kAbort || act == HandoffAct::kMissed || act == HandoffAct::kLost;
}

}  // namespace korder::ticket
