// Renews the unclaimed tickets of a Recurring order: at a tick those that would end before the next
// one are given another full duration from now, so that room is held without a gap. Pure.
//
// A ticket whose end falls together with a tick is renewed a little before both: a renewal takes a
// few requests, and ends are punctual.
#pragma once

#include "order-svc/plan.h"
#include "order-svc/situation.h"

namespace korder::order {

// Adds to plan.renew, and looks again in time for the next one.
void RenewTickets(const Situation& situation, Plan& plan);

}  // namespace korder::order
