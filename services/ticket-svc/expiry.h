// When a ticket begins, ends, warns of its end and is cleaned up. Pure.
//
//   if (const auto end = WindowEnd(ticket); end && *end <= now) { ... it is over ... }
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "api/v1alpha1/ticket.h"

namespace korder::ticket {

// The end is final once it is in the status; before that it is known only for a ticket with a
// startTime. Nothing for a ticket that lasts until it is deleted, or has not begun.
std::optional<absl::Time> WindowEnd(const api::Ticket& ticket);

// The end of a ticket that becomes Ready now, for the first time.
std::optional<absl::Time> WindowEndWhenReady(const api::Ticket& ticket, absl::Time now);

// From when on the condition Expiring is True: 10 % of the window before its end, at most 10 min.
std::optional<absl::Time> ExpiringFrom(const api::Ticket& ticket);

// When a finished ticket is deleted; nothing when it is kept.
std::optional<absl::Time> CleanupTime(const api::Ticket& ticket);

}  // namespace korder::ticket
