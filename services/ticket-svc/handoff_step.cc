#include "ticket-svc/handoff_step.h"

#include <algorithm>

#include "api/v1alpha1/names.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/claim_fit.h"

namespace korder::ticket {
namespace {

constexpr absl::Duration kLook = absl::Seconds(1);

HandoffMove Do(HandoffAct act) { return {.act = act, .wait = absl::ZeroDuration()}; }
HandoffMove Abort(HandoffReason reason) {
  return {.act = HandoffAct::kAbort, .reason = reason, .wait = absl::ZeroDuration()};
}
HandoffMove Lost(HandoffReason reason) {
  return {.act = HandoffAct::kLost, .reason = reason, .wait = absl::ZeroDuration()};
}
HandoffMove Wait(absl::Duration at_most) { return {.act = HandoffAct::kWait, .wait = at_most}; }

// A guardian that ended holds no room, even while its object is there.
bool GuardianGone(const HandoffView& view) {
  return view.guardian == nullptr || api::IsTerminal(*view.guardian);
}

bool IsNominated(const HandoffView& view) {
  return view.pod->status.nominated_node_name == view.record.node;
}

bool IsMarked(const HandoffView& view) { return HandoffMark(*view.pod) == view.record.id; }

bool IsMarkedByAnother(const HandoffView& view) {
  return !HandoffMark(*view.pod).empty() && !IsMarked(view);
}

bool OutOfPatience(const HandoffView& view) {
  return view.now > view.record.started_at.value_or(absl::InfinitePast()) + kHandoffPatience;
}

// The kubelet turned the pod away after it was bound: OutOfcpu and the like.
bool WasRejected(const api::Pod& pod) {
  return pod.status.phase == api::kPodFailed &&
         (pod.status.reason.starts_with("OutOf") ||
          pod.status.message.starts_with("Pod was rejected"));
}

HandoffMove BoundStep(const HandoffView& view) {
  if (!GuardianGone(view)) {
    return Abort(HandoffReason::kBoundEarly);
  }
  if (view.pod->spec.node_name != view.record.node) {
    return {.act = HandoffAct::kMissed,
            .reason = HandoffReason::kBoundElsewhere,
            .wait = absl::ZeroDuration()};
  }
  return WasRejected(*view.pod) ? Lost(HandoffReason::kPodRejected) : Do(HandoffAct::kClaimed);
}

// Everything that speaks against giving the room away, while that can still be helped.
HandoffReason Preflight(const HandoffView& view) {
  if (view.window_over) {
    return HandoffReason::kWindowOver;
  }
  if (OutOfPatience(view)) {
    return HandoffReason::kTimeout;
  }
  if (view.guardian->metadata.deleting() || view.guardian->spec.node_name != view.record.node) {
    return HandoffReason::kGuardianLost;
  }
  if (view.node == nullptr) {
    return HandoffReason::kNodeGone;
  }
  if (WhyNodeRefuses(*view.pod, view.node)) {
    return HandoffReason::kNodeUnfit;
  }
  return view.pod->spec.scheduling_gates.size() > 1 ? HandoffReason::kOtherGate
                                                    : HandoffReason::kNone;
}

HandoffMove GatedStep(const HandoffView& view) {
  if (!GuardianGone(view)) {
    if (IsMarkedByAnother(view)) {
      return Abort(HandoffReason::kTakenByAnother);
    }
    if (const HandoffReason against = Preflight(view); against != HandoffReason::kNone) {
      return Abort(against);
    }
    return Do(IsNominated(view) && IsMarked(view) ? HandoffAct::kRelease : HandoffAct::kNominate);
  }
  // Past the point of no return, or somebody else deleted the guardian.
  if (IsMarkedByAnother(view)) {
    return Lost(HandoffReason::kTakenByAnother);
  }
  if (!IsMarked(view)) {
    return Lost(HandoffReason::kGuardianLost);
  }
  if (view.node == nullptr) {
    return Lost(HandoffReason::kNodeGone);
  }
  if (!IsNominated(view)) {
    return OutOfPatience(view) ? Lost(HandoffReason::kTimeout) : Do(HandoffAct::kNominate);
  }
  if (view.gone_for < view.settle) {
    return Wait(view.settle - view.gone_for);
  }
  return Do(HandoffAct::kUngate);
}

HandoffMove UngatedStep(const HandoffView& view) {
  if (!GuardianGone(view)) {
    return Abort(HandoffReason::kGateGone);
  }
  if (view.node == nullptr) {
    return Lost(HandoffReason::kNodeGone);
  }
  const bool refused = api::Unschedulable(*view.pod) != nullptr;
  if (OutOfPatience(view) && (refused || !IsNominated(view))) {
    return Lost(HandoffReason::kTimeout);
  }
  return IsNominated(view) ? Wait(kLook) : Do(HandoffAct::kNominate);
}

}  // namespace

HandoffMove HandoffStep(const HandoffView& view) {
  if (view.pod == nullptr) {
    return GuardianGone(view) ? Lost(HandoffReason::kPodGone) : Abort(HandoffReason::kPodGone);
  }
  // Before everything else: a short pod may have ended already, and had the room all the same.
  if (api::IsBound(*view.pod)) {
    return BoundStep(view);
  }
  if (view.pod->metadata.deleting() || api::IsTerminal(*view.pod)) {
    return GuardianGone(view) ? Lost(HandoffReason::kPodGone) : Abort(HandoffReason::kPodGone);
  }
  return api::HasGate(*view.pod, api::kGateClaim) ? GatedStep(view) : UngatedStep(view);
}

}  // namespace korder::ticket
