// Windows that are to be made longer: a later end than the one in the status, which spec.duration
// asks for. Pure.
//
//   if (const auto end = LongerEnd(ticket, now); end && !IsRefused(observed, *end)) {
//     return Prolong(observed, *end);
//   }
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "ticket-svc/observed.h"
#include "ticket-svc/plan.h"

namespace korder::ticket {

// The end that spec.duration asks for now, when it is later than the one in the status: the window
// is to be made longer, if the quotas allow it. Infinite: no end. Nothing once the window is over:
// an end is final.
std::optional<absl::Time> LongerEnd(const api::WindowTerms& ticket, absl::Time now);

// The end was not granted a moment ago.
bool IsRefused(const Observed& observed, absl::Time end);

// One write moves the end. Whatever else there is to do follows in the next pass.
Plan Prolong(const Observed& observed, absl::Time end);

// After ConfirmLonger was denied: how long not to ask again. Less and less is still to come of a
// window, and limits change.
absl::Duration AskAgainIn(std::optional<absl::Time> next_change, absl::Time now);

}  // namespace korder::ticket
