// Which tickets one occurrence gets and loses: the refresh policy, scaling, a changed template,
// nodes that come and go. Pure.
//
//   KeepTickets(situation, occurrence, {.may_create = true}, plan);
//
// Works on plan.memory.books[occurrence], and adds to plan.create and plan.remove.
#pragma once

#include "order-svc/plan.h"
#include "order-svc/situation.h"

namespace korder::order {

struct Keeping {
  // False: the window is over, nothing is made any more.
  bool may_create = true;
  // A tick of a Recurring order: whatever is not live is replaced.
  bool at_tick = false;
};

// REQUIRES: the occurrence has a book, and is not skipped.
void KeepTickets(const Situation& situation, absl::Time occurrence, Keeping keeping, Plan& plan);

// Gives up tickets that no window of the order is for. Claimed ones are left.
void RemoveFree(const std::vector<Entry>& entries, Plan& plan);

}  // namespace korder::order
