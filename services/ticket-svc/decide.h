// Decides what to do for one Ticket. Reads the ticket, its guardians, its pod and the time; writes
// nothing. Pure: no I/O, no clock, no logging.
//
//   const Plan plan = Decide(observed);
//
// Deciding again on the state that a plan produces yields a plan that does nothing (until a
// deadline). The steps of a handoff are decided in handoff_step.h, who gets which ticket in
// claim_decide.h.
#pragma once

#include <string>
#include <string_view>

#include "ticket-svc/observed.h"
#include "ticket-svc/plan.h"

namespace korder::ticket {

Plan Decide(const Observed& observed);

// What to do without a longer window, which is not asked for again for the time that
// observed.refused_end says. `denial` is told, unless it is empty: no answer, or told before.
Plan DecideNotLonger(const Observed& observed, const std::string& denial);

// After ConfirmCharge or CreateGuardian did not succeed: what to write, when to try again.
Plan DecideDenied(const Observed& observed, const std::string& message,
                  std::optional<absl::Time> next_change);
Plan DecideQuotaUnavailable(const Observed& observed, const std::string& message);
// `for_good`: the API server will never accept such a guardian.
Plan DecideRefused(const Observed& observed, const std::string& message, bool for_good);

}  // namespace korder::ticket
