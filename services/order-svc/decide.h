// Decides what to do for one Order. Reads the order, its tickets and the time; writes nothing.
//
//   const Plan plan = Decide(observed);
//   ... create what quota-svc grants, delete ...
//   api::OrderStatus status = Settle(*observed.order, plan, outcome, now);
//
// Deciding again on the state that a plan produces yields a plan that does nothing.
#pragma once

#include "order-svc/observed.h"
#include "order-svc/plan.h"

namespace korder::order {

Plan Decide(const Observed& observed);

// The status after the plan's creations were tried.
api::OrderStatus Settle(const api::Order& order, const Plan& plan, const Outcome& outcome,
                        absl::Time now);

// The memory after the plan's creations and deletions were tried.
Memory Remember(const Plan& plan, const Outcome& outcome, absl::Time now);

// "my-order-7"; long order names are shortened with a hash so that names stay valid label values.
std::string TicketName(const api::Order& order, int64_t ordinal);
// The ordinal of a ticket of this order, or -1 when its name does not tell.
int64_t OrdinalOf(const api::Ticket& ticket);

}  // namespace korder::order
