#include "cli/free_now.h"

#include <algorithm>

#include "api/core/daemon_nodes.h"
#include "api/core/node_fit.h"
#include "api/core/room.h"
#include "api/v1alpha1/defaults.h"

namespace korder::cli {

FreeNow CountFree(const api::OrderSpec& spec, const std::vector<api::Node>& nodes,
                  const std::vector<api::Pod>& pods) {
  const api::TicketSpec& ticket = spec.ticket_template.spec;
  const api::ResourceList requests = api::EffectiveRequests(ticket);
  const auto rooms = api::FreeRooms(nodes, pods);
  FreeNow free;
  for (const api::Node& node : nodes) {
    const bool eligible = spec.daemon_set
                              ? api::IsEligibleForDaemon(ticket, node)
                              : !api::WhyNodeDoesNotFit(api::PlacementOf(ticket), node).has_value();
    if (!eligible) {
      continue;
    }
    const int64_t fit = api::TicketsThatFit(requests, rooms.at(node.metadata.name));
    ++free.eligible;
    free.nodes += fit > 0 ? 1 : 0;
    free.tickets += spec.daemon_set ? std::min<int64_t>(fit, 1) : fit;
  }
  return free;
}

}  // namespace korder::cli
