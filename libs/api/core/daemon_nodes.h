// Which nodes an Order with `daemonSet: true` gets a ticket for: those that a DaemonSet with the
// same placement would run on.
//
//   if (IsEligibleForDaemon(order.spec.tmpl.spec, node)) { ... }
//   pod.spec.tolerations = DaemonTolerations(ticket.spec.tolerations);
//
// Pure. Thread-safe.
#pragma once

#include <vector>

#include "api/core/node.h"
#include "api/core/scheduling.h"
#include "api/v1alpha1/ticket_spec.h"

namespace korder::api {

// `own`, and what the DaemonSet controller adds for its pods: a node that is not ready,
// unreachable, short of disk, memory or process ids, or cordoned keeps its pod. One of `own` that
// differs only in its tolerationSeconds gives way, so that it holds for good.
std::vector<Toleration> DaemonTolerations(std::vector<Toleration> own);

// The node suits nodeName, nodeSelector, required node affinity and the tolerations, with those
// that are added.
bool IsEligibleForDaemon(const TicketSpec& spec, const Node& node);

}  // namespace korder::api
