// The books of an order: which ordinals count against what is wanted, in which occurrence. From the
// status at the first look, then from memory; corrected by the tickets that are there. Pure.
//
//   Memory memory = Recall(situation);
//   ... decide; do ...
//   memory = Remember(plan, outcome, now);
//   KeepInStatus(order, memory, status);
#pragma once

#include "order-svc/plan.h"
#include "order-svc/situation.h"

namespace korder::order {

// What the order remembers. The order in which the tickets come means nothing.
Memory Recall(const Situation& situation);

// The memory after the plan was tried.
Memory Remember(const Plan& plan, const Outcome& outcome, absl::Time now);

// What a successor needs to know.
void KeepInStatus(const api::Order& order, const Memory& memory, api::OrderStatus& status);

}  // namespace korder::order
