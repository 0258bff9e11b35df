#include "ticket-svc/handoff_step.h"

#include <algorithm>

#include "api/v1alpha1/names.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/claim_fit.h"
#include "ticket-svc/handoff_method.h"

namespace korder::ticket {
namespace {

// The scheduler places a guardian within milliseconds.
constexpr absl::Duration kSeekingLook = absl::Milliseconds(10);

HandoffMove Abort(HandoffReason reason) {
  return {.act = HandoffAct::kAbort, .reason = reason, .wait = absl::ZeroDuration()};
}

// A guardian that ended holds no room, even while its object is there.
bool GuardianGone(const HandoffView& view) {
  return view.guardian == nullptr || IsTerminal(*view.guardian);
}

bool IsMarked(const HandoffView& view) { return HandoffMark(*view.pod) == view.record.id; }

bool IsMarkedByAnother(const HandoffView& view) {
  return !HandoffMark(*view.pod).empty() && !IsMarked(view);
}

bool IsPrepared(const HandoffView& view) {
  return IsMarked(view) && (!view.method.nominates() || IsNominated(view));
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
  return WasRejected(*view.pod) ? Lose(HandoffReason::kPodRejected) : DoNext(HandoffAct::kClaimed);
}

// Everything that speaks against giving the room away, while that can still be helped.
HandoffReason Preflight(const HandoffView& view) {
  if (view.window_over) {
    return HandoffReason::kWindowOver;
  }
  if (OutOfPatience(view)) {
    return HandoffReason::kTimeout;
  }
  if (view.guardian->metadata.deleting() || view.guardian->node_name != view.record.node) {
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

// The guardian holds the room, the pod waits behind its gate.
HandoffMove HeldStep(const HandoffView& view) {
  if (IsMarkedByAnother(view)) {
    return Abort(HandoffReason::kTakenByAnother);
  }
  if (const HandoffReason against = Preflight(view); against != HandoffReason::kNone) {
    return Abort(view.contested && against == HandoffReason::kTimeout ? HandoffReason::kContested
                                                                      : against);
  }
  // Before the mark: what is gone before it is gone for whoever has seen it.
  if (view.stuck_guardians > 0) {
    return DoNext(HandoffAct::kClear);
  }
  if (view.seeking_guardians > 0) {
    return WaitFor(kSeekingLook);
  }
  if (!IsPrepared(view) || view.maybe_forgotten) {
    return DoNext(HandoffAct::kMark);
  }
  if (view.needs_fence) {
    return {.act = HandoffAct::kFence, .wait = kLookAgain};
  }
  return view.contested ? WaitFor(kLookAgain / 5) : DoNext(HandoffAct::kRelease);
}

// Past the point of no return, or somebody else deleted the guardian; the gate is shut.
HandoffMove ReleasedStep(const HandoffView& view) {
  if (IsMarkedByAnother(view)) {
    return Lose(HandoffReason::kTakenByAnother);
  }
  if (!IsMarked(view)) {
    return Lose(HandoffReason::kGuardianLost);
  }
  return view.node == nullptr ? Lose(HandoffReason::kNodeGone) : view.method.Released(view);
}

HandoffMove OpenStep(const HandoffView& view) {
  if (!GuardianGone(view)) {
    return Abort(HandoffReason::kGateGone);
  }
  return view.node == nullptr ? Lose(HandoffReason::kNodeGone) : view.method.Open(view);
}

}  // namespace

HandoffMove HandoffStep(const HandoffView& view) {
  if (view.pod == nullptr) {
    return GuardianGone(view) ? Lose(HandoffReason::kPodGone) : Abort(HandoffReason::kPodGone);
  }
  // Before everything else: a short pod may have ended already, and had the room all the same.
  if (api::IsBound(*view.pod)) {
    return BoundStep(view);
  }
  if (view.pod->metadata.deleting() || api::IsTerminal(*view.pod)) {
    return GuardianGone(view) ? Lose(HandoffReason::kPodGone) : Abort(HandoffReason::kPodGone);
  }
  if (!api::HasGate(*view.pod, api::kGateClaim)) {
    return OpenStep(view);
  }
  return GuardianGone(view) ? ReleasedStep(view) : HeldStep(view);
}

HandoffStage StageOf(const HandoffView& view) {
  if (view.pod == nullptr || api::IsBound(*view.pod) || view.pod->metadata.deleting() ||
      api::IsTerminal(*view.pod)) {
    return HandoffStage::kOver;
  }
  if (!api::HasGate(*view.pod, api::kGateClaim)) {
    return HandoffStage::kOpen;
  }
  if (GuardianGone(view)) {
    return HandoffStage::kReleased;
  }
  return IsPrepared(view) ? HandoffStage::kMarked : HandoffStage::kHeld;
}

absl::Duration AgeOf(const api::TicketHandoff& record, absl::Time now, absl::Duration waited) {
  return std::max(now - record.started_at.value_or(absl::InfinitePast()), waited);
}

bool IsNominated(const HandoffView& view) {
  return view.pod->status.nominated_node_name == view.record.node;
}

bool OutOfPatience(const HandoffView& view) { return view.age > kHandoffPatience; }

HandoffMove WaitFor(absl::Duration at_most) { return {.act = HandoffAct::kWait, .wait = at_most}; }

HandoffMove DoNext(HandoffAct act) { return {.act = act, .wait = absl::ZeroDuration()}; }

HandoffMove Lose(HandoffReason reason) {
  return {.act = HandoffAct::kLost, .reason = reason, .wait = absl::ZeroDuration()};
}

}  // namespace korder::ticket
