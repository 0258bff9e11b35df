// Decides what to do for one Order. Reads the order, its tickets, the nodes and the time; writes
// nothing.
//
//   const Plan plan = Decide(observed);
//   ... create what quota-svc grants, renew, delete ...
//   const Memory memory = Remember(plan, outcome, now);
//   api::OrderStatus status = Settle(*observed.order, plan, outcome, memory, now);
//
// Deciding again on the state that a plan produces yields a plan that does nothing. The parts:
// situation.h what is there, books.h what counts, occurrences.h which windows, slots.h which
// tickets, renewal.h until when, order_status.h what is told.
#pragma once

#include "order-svc/observed.h"
#include "order-svc/plan.h"

namespace korder::order {

Plan Decide(const Observed& observed);

// The status after the plan was tried; `memory` is what is remembered of that.
api::OrderStatus Settle(const api::Order& order, const Plan& plan, const Outcome& outcome,
                        const Memory& memory, absl::Time now);

}  // namespace korder::order
