#include "api/core/pod.h"

#include <algorithm>

namespace korder::api {

bool IsBound(const Pod& pod) { return !pod.spec.node_name.empty(); }

bool IsTerminalPhase(std::string_view phase) {
  return phase == kPodSucceeded || phase == kPodFailed;
}

bool IsTerminal(const Pod& pod) { return IsTerminalPhase(pod.status.phase); }

bool HasGate(const Pod& pod, std::string_view gate) {
  return std::any_of(pod.spec.scheduling_gates.begin(), pod.spec.scheduling_gates.end(),
                     [gate](const PodSchedulingGate& g) { return g.name == gate; });
}

const PodCondition* FindCondition(const Pod& pod, std::string_view type) {
  for (const PodCondition& condition : pod.status.conditions) {
    if (condition.type == type) {
      return &condition;
    }
  }
  return nullptr;
}

const PodCondition* Unschedulable(const Pod& pod) {
  const PodCondition* scheduled = FindCondition(pod, kPodConditionScheduled);
  const bool refused = scheduled != nullptr && scheduled->status == "False" &&
                       scheduled->reason == kPodReasonUnschedulable;
  return refused ? scheduled : nullptr;
}

}  // namespace korder::api
