// Whether a node suits a pod or ticket: node name, selector, required affinity, taints. Room, ports
// and volumes are the scheduler's business.
//
//   if (std::optional<std::string> why = WhyNodeDoesNotFit(PlacementOf(pod.spec), node)) {
//     ... *why is `node has taint dedicated=gpu:NoSchedule` ...
//   }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/core/node.h"
#include "api/core/scheduling.h"
#include "api/value/labels.h"

namespace korder::api {

// What decides where something may run. Borrows everything.
struct Placement {
  const std::string& node_name;  // empty: any
  const Labels& node_selector;
  const Boxed<Affinity>& affinity;
  const std::vector<Toleration>& tolerations;
};

// `spec` is a PodSpec or a TicketSpec and must outlive the placement.
template <class Spec>
Placement PlacementOf(const Spec& spec) {
  return {spec.node_name, spec.node_selector, spec.affinity, spec.tolerations};
}

// Nothing when the node suits; otherwise the first thing that stands against it. A cordoned node
// counts as having the taint node.kubernetes.io/unschedulable:NoSchedule.
std::optional<std::string> WhyNodeDoesNotFit(const Placement& placement, const Node& node);

// True when one of the terms matches the node's labels and name.
bool Matches(const NodeSelector& selector, const Node& node);

bool Tolerates(const Toleration& toleration, const Taint& taint);

}  // namespace korder::api
