// The next step of a handoff, derived from what the world looks like, so that whoever leads can go
// on after a crash at any point. Pure.
//
//   const HandoffMove move = HandoffStep(view);   // {kRelease}: delete the guardian now
//
// The order is: nominate the pod to the node, delete the guardian, open the gate, wait for the
// scheduler. The scheduler counts a nominated pod as if it ran, gated or not, so the room is at no
// instant free in its eyes. After the guardian is gone there is no way back.
#pragma once

#include <array>
#include <string_view>

#include "absl/time/time.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/meta/enum_names.h"
#include "api/v1alpha1/ticket.h"

namespace korder::ticket {

// How long a nomination that somebody clears is made again.
inline constexpr absl::Duration kHandoffPatience = absl::Seconds(10);

struct HandoffView {
  const api::TicketHandoff& record;
  const api::Pod* pod = nullptr;       // with the record's UID; null when it is gone
  const api::Pod* guardian = nullptr;  // with the record's UID; null when it is gone
  const api::Node* node = nullptr;     // null when it is gone
  // The ticket's window is over: give the room away only if that cannot be helped any more.
  bool window_over = false;
  // How long the guardian must be gone before the gate is opened (servers before 1.35), and how
  // long it has been gone as far as this process knows.
  absl::Duration settle;
  absl::Duration gone_for = absl::InfiniteDuration();
  absl::Time now;
};

enum class HandoffAct {
  kNominate,  // write status.nominatedNodeName and the mark
  kRelease,   // delete the guardian
  kUngate,    // open the gate
  kWait,      // it is the scheduler's turn
  kClaimed,   // the pod is bound to the node: done
  kAbort,     // undo; the guardian still holds the room
  kMissed,    // the pod was bound elsewhere, the room is lost
  kLost       // the room is lost and the pod did not get it
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
  kTimeout
};
constexpr auto EnumNames(HandoffReason) {
  return std::to_array<std::string_view>(
      {"None", "PodGone", "PodRejected", "BoundElsewhere", "BoundEarly", "TakenByAnother",
       "GateGone", "OtherGate", "NodeGone", "NodeUnfit", "GuardianLost", "WindowOver", "Timeout"});
}

struct HandoffMove {
  HandoffAct act = HandoffAct::kWait;
  HandoffReason reason = HandoffReason::kNone;  // of kAbort, kMissed, kLost
  absl::Duration wait;                          // of kWait: when to look again at the latest
  bool operator==(const HandoffMove&) const = default;
};

HandoffMove HandoffStep(const HandoffView& view);

// The handoff has ended without the pod in the ticket's room.
constexpr bool GivesUp(HandoffAct act) {
  return act == HandoffAct::kAbort || act == HandoffAct::kMissed || act == HandoffAct::kLost;
}

}  // namespace korder::ticket
