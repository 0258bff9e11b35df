// The window of a ticket: from when to when it holds its room, as its spec wants it and as its
// status has it.
//
//   if (WantedEnd(ticket) > EndOfWindow(ticket)) { ... it is to be made longer ... }
//   claim.duration = HeldFor(ticket);   // what quotas are asked about
//
// ticket-svc, quota-svc and admission-svc must agree on these, so they are here.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "api/v1alpha1/duration_field.h"
#include "api/v1alpha1/ticket.h"

namespace korder::api {

// What a window follows from: two fields of the spec and two of the status. Borrows the duration,
// so it is for arguments only; a Ticket can be passed as it is.
struct WindowTerms {
  WindowTerms(std::optional<absl::Time> start, const std::optional<DurationField>& lasts,
              std::optional<absl::Time> activation, std::optional<absl::Time> expiration)
      : start_time(start),
        duration(lasts),
        activation_time(activation),
        expiration_time(expiration) {}
  WindowTerms(const Ticket& ticket)  // NOLINT(google-explicit-constructor): a Ticket has them
      : WindowTerms(ticket.spec.start_time, ticket.spec.duration, ticket.status.activation_time,
                    ticket.status.expiration_time) {}

  std::optional<absl::Time> start_time;
  const std::optional<DurationField>& duration;
  std::optional<absl::Time> activation_time;
  std::optional<absl::Time> expiration_time;
};

// Its guardian held the room once: the window is in the status, and only a longer one can be asked
// for.
bool HasBegun(const WindowTerms& ticket);

// spec.startTime; without one when the ticket became Ready, which is nothing before that.
std::optional<absl::Time> WindowStart(const WindowTerms& ticket);

// The end that the spec asks for. Infinite: it has none. Nothing when the window has no start yet,
// or the duration cannot be read.
std::optional<absl::Time> WantedEnd(const WindowTerms& ticket);
// The same of a window that starts then.
std::optional<absl::Time> WindowEnd(absl::Time start, const std::optional<DurationField>& duration);

// The end that was granted. Infinite: it has none. REQUIRES: HasBegun.
absl::Time EndOfWindow(const WindowTerms& ticket);

// How long the room is held, for the max-duration of quotas: once the window has begun what was
// granted, before that what the spec asks for. Absent means without end, and so does a duration
// that cannot be read.
std::optional<absl::Duration> HeldFor(const WindowTerms& ticket);

}  // namespace korder::api
