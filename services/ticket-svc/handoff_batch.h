// The next steps of all handoffs on one node, decided together. Pure.
//
//   const std::vector<HandoffMove> moves = DecideBatch(views);   // one per view
//
// While a nominated pod's guardian is still there, the scheduler counts the room twice, and refuses
// a pod that it looks at just then. So of the handoffs on a node either none has its gate open, or
// none stands between nomination and release: all are nominated, then all guardians go, then all
// gates open.
#pragma once

#include <span>
#include <vector>

#include "ticket-svc/handoff_step.h"

namespace korder::ticket {

// More at once would gain little and leave the node's other tickets waiting longer.
inline constexpr int kMaxBatch = 4;

// REQUIRES: all are about the same node.
std::vector<HandoffMove> DecideBatch(std::span<const HandoffView> views);

}  // namespace korder::ticket
