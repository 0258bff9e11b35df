// How many tickets some room holds: a node's allocatable, or what is left of it. A bound by amounts
// alone: where on a machine the amounts are, and what else the scheduler looks at, is its business.
//
//   TicketsThatFit(EffectiveRequests(spec), node.status.allocatable);   // 14
//   TicketsThatFit(EffectiveRequests(spec), FreeRooms(nodes, pods)["node-3"]);
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/core/resources.h"

namespace korder::api {

// Every ticket takes its requests and one of the room's `pods`. What the room does not name, it
// does not have, but for `pods`, which it then does not limit. 0 when nothing limits it at all.
int64_t TicketsThatFit(const ResourceList& requests, const ResourceList& room);

// By the nodes' names: their allocatable without what the pods take that are bound to them and not
// finished; never negative.
std::map<std::string, ResourceList> FreeRooms(const std::vector<Node>& nodes,
                                              const std::vector<Pod>& pods);

}  // namespace korder::api
