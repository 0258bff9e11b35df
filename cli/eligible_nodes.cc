#include "cli/eligible_nodes.h"

#include <algorithm>

#include "api/core/node_fit.h"

namespace korder::cli {
namespace {

// As the DaemonSet controller does: these pass, so they do not make a node ineligible.
constexpr const char* kToleratedTaints[][2] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},
    {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"},
    {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},
    {"node.kubernetes.io/unschedulable", "NoSchedule"},
};

}  // namespace

int32_t CountEligible(const api::TicketSpec& spec, const std::vector<api::Node>& nodes) {
  std::vector<api::Toleration> tolerations = spec.tolerations;
  for (const auto& [key, effect] : kToleratedTaints) {
    tolerations.push_back({.key = key, .op = "Exists", .effect = effect});
  }
  const api::Placement placement{spec.node_name, spec.node_selector, spec.affinity, tolerations};
  return static_cast<int32_t>(std::count_if(nodes.begin(), nodes.end(), [&](const api::Node& node) {
    return !api::WhyNodeDoesNotFit(placement, node).has_value();
  }));
}

}  // namespace korder::cli
