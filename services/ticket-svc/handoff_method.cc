#include "ticket-svc/handoff_method.h"

#include "absl/strings/str_cat.h"

namespace korder::ticket {
namespace {

bool WasRefused(const HandoffView& view) { return api::Unschedulable(*view.pod) != nullptr; }

// A scheduler that refuses the pod takes its nomination away, and may look at it anew whenever
// there is one: the two could go on at each other hundreds of times a second.
constexpr absl::Duration kRenominateAfter = absl::Milliseconds(200);

class Nominate final : public HandoffMethod {
 public:
  bool nominates() const override { return true; }
  bool always_pins() const override { return false; }
  std::optional<std::string> WhyNot(const api::Pod&, const OwnPod&) const override {
    return std::nullopt;
  }
  HandoffMove Released(const HandoffView& view) const override {
    if (!IsNominated(view)) {
      return OutOfPatience(view) ? Lose(HandoffReason::kTimeout) : DoNext(HandoffAct::kMark);
    }
    if (view.gone_for >= view.settle) {
      // An open gate is never overlooked.
      return DoNext(HandoffAct::kUngate);
    }
    return view.maybe_forgotten ? DoNext(HandoffAct::kMark) : WaitFor(view.settle - view.gone_for);
  }
  HandoffMove Open(const HandoffView& view) const override {
    if (OutOfPatience(view) && (WasRefused(view) || !IsNominated(view))) {
      return Lose(HandoffReason::kTimeout);
    }
    if (IsNominated(view)) {
      return WaitFor(kLookAgain);
    }
    return WasRefused(view) && view.renominated_ago < kRenominateAfter
               ? WaitFor(kRenominateAfter - view.renominated_ago)
               : DoNext(HandoffAct::kMark);
  }
};

class Preempt final : public HandoffMethod {
 public:
  bool nominates() const override { return false; }
  // Without it the scheduler might make room on another node, at a bystander's cost.
  bool always_pins() const override { return true; }
  std::optional<std::string> WhyNot(const api::Pod& pod, const OwnPod& guardian) const override {
    const int32_t own = pod.spec.priority.value_or(0);
    const int32_t other = guardian.ask->priority;
    if (own <= other) {
      return absl::StrCat("passes on by preemption: the pod's priority ", own,
                          " is not above the guardian's ", other);
    }
    if (pod.spec.preemption_policy == "Never") {
      return "passes on by preemption, and the pod's priority class never preempts";
    }
    return std::nullopt;
  }
  HandoffMove Released(const HandoffView&) const override { return DoNext(HandoffAct::kUngate); }
  HandoffMove Open(const HandoffView& view) const override {
    return OutOfPatience(view) && WasRefused(view) ? Lose(HandoffReason::kTimeout)
                                                   : WaitFor(kLookAgain);
  }
};

}  // namespace

const HandoffMethod& MethodOf(HandoffMethodName name) {
  static const Nominate kNominate;
  static const Preempt kPreempt;
  if (name == HandoffMethodName::kPreempt) {
    return kPreempt;
  }
  return kNominate;
}

}  // namespace korder::ticket
