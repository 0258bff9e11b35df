// When a ticket's room is looked for, when its window begins and ends, warns of its end and is
// cleaned up. Pure.
//
//   if (const auto end = WindowEnd(ticket); end && *end <= now) { ... it is over ... }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/ticket_window.h"
#include "api/value/field_error.h"
#include "ticket-svc/guarded_ticket.h"

namespace korder::ticket {

// How long before its startTime a ticket looks for room: the annotation korder.dev/lead-time. One
// that cannot be read, or is negative, counts as zero and is a problem.
struct LeadTime {
  absl::Duration value;
  std::vector<api::FieldError> problems;
};
LeadTime LeadTimeOf(const GuardedTicket& ticket);

// From when on the ticket has a guardian.
absl::Time GuardianFrom(const GuardedTicket& ticket);

// The end that is in the status; before that it is known only for a ticket with a startTime.
// Nothing for a ticket that lasts until it is deleted, or has not begun.
std::optional<absl::Time> WindowEnd(const api::WindowTerms& ticket);

// The start of the window that is in the status, and its end, of a ticket that becomes Ready now,
// for the first time. Room may be held before the window begins, but nobody can claim it.
absl::Time WindowStartWhenReady(const api::WindowTerms& ticket, absl::Time now);
std::optional<absl::Time> WindowEndWhenReady(const api::WindowTerms& ticket, absl::Time now);

// From when on the condition Expiring is True: 10 % of the window before its end, at most 10 min.
std::optional<absl::Time> ExpiringFrom(const api::WindowTerms& ticket);

// "2026-01-15T08:00:00Z"
std::string TimeText(absl::Time time);

// When a finished ticket is deleted; nothing when it is kept.
std::optional<absl::Time> CleanupTime(const GuardedTicket& ticket);

}  // namespace korder::ticket
