// Which windows an order serves as time goes by: begins them, leaves them out, closes them; and the
// ticks of a Recurring order. Pure.
#pragma once

#include "order-svc/plan.h"
#include "order-svc/situation.h"

namespace korder::order {

// Scheduled: every window that is open and neither skipped nor too late has a book afterwards, and
// no other has. Notes what begins, ends and is left out. While the order is paused nothing begins.
void FollowWindows(const Situation& situation, Plan& plan);

// Recurring: true when a tick has come whose tickets are to be topped up.
bool FollowTicks(const Situation& situation, Plan& plan);

}  // namespace korder::order
