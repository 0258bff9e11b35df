// How many tickets an order with one for each node takes. Pure.
//
//   item.request.set_tickets(CountEligible(item.spec, nodes));
#pragma once

#include <cstdint>
#include <vector>

#include "api/core/node.h"
#include "api/v1alpha1/ticket_spec.h"

namespace korder::cli {

// Nodes that suit the selector, affinity and tolerations, with those that Kubernetes adds for
// DaemonSets.
int32_t CountEligible(const api::TicketSpec& spec, const std::vector<api::Node>& nodes);

}  // namespace korder::cli
