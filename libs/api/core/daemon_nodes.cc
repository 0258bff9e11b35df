#include "api/core/daemon_nodes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "api/core/node_fit.h"

namespace korder::api {
namespace {

constexpr std::pair<std::string_view, std::string_view> kToleratedTaints[] = {
    {"node.kubernetes.io/not-ready", kEffectNoExecute},
    {"node.kubernetes.io/unreachable", kEffectNoExecute},
    {"node.kubernetes.io/disk-pressure", kEffectNoSchedule},
    {"node.kubernetes.io/memory-pressure", kEffectNoSchedule},
    {"node.kubernetes.io/pid-pressure", kEffectNoSchedule},
    {"node.kubernetes.io/unschedulable", kEffectNoSchedule},
};

bool TolerateTheSame(const Toleration& a, const Toleration& b) {
  return a.key == b.key && a.op == b.op && a.value == b.value && a.effect == b.effect;
}

}  // namespace

std::vector<Toleration> DaemonTolerations(std::vector<Toleration> own) {
  for (const auto& [key, effect] : kToleratedTaints) {
    Toleration added{.key = std::string(key), .op = "Exists", .effect = std::string(effect)};
    const auto same = std::find_if(own.begin(), own.end(), [&](const Toleration& toleration) {
      return TolerateTheSame(toleration, added);
    });
    if (same == own.end()) {
      own.push_back(std::move(added));
    } else {
      *same = std::move(added);
    }
  }
  return own;
}

bool IsEligibleForDaemon(const TicketSpec& spec, const Node& node) {
  // Most nodes have nothing to tolerate.
  const bool any_taint = node.spec.unschedulable || !node.spec.taints.empty();
  const std::vector<Toleration> tolerations =
      any_taint ? DaemonTolerations(spec.tolerations) : std::vector<Toleration>();
  const Placement placement{spec.node_name, spec.node_selector, spec.affinity, tolerations};
  return !WhyNodeDoesNotFit(placement, node).has_value();
}

}  // namespace korder::api
