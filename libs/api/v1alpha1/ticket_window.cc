#include "api/v1alpha1/ticket_window.h"

namespace korder::api {

bool HasBegun(const Ticket& ticket) { return ticket.status.activation_time.has_value(); }

std::optional<absl::Time> WindowStart(const Ticket& ticket) {
  return ticket.spec.start_time ? ticket.spec.start_time : ticket.status.activation_time;
}

std::optional<absl::Time> WantedEnd(const Ticket& ticket) {
  const std::optional<absl::Time> start = WindowStart(ticket);
  return start ? WindowEnd(*start, ticket.spec.duration) : std::nullopt;
}

std::optional<absl::Time> WindowEnd(absl::Time start,
                                    const std::optional<DurationField>& duration) {
  if (!duration) {
    return absl::InfiniteFuture();
  }
  return duration->valid() ? std::optional(start + duration->value()) : std::nullopt;
}

absl::Time EndOfWindow(const Ticket& ticket) {
  return ticket.status.expiration_time.value_or(absl::InfiniteFuture());
}

std::optional<absl::Duration> HeldFor(const Ticket& ticket) {
  if (HasBegun(ticket)) {
    return ticket.status.expiration_time
               ? std::optional(*ticket.status.expiration_time - *WindowStart(ticket))
               : std::nullopt;
  }
  const std::optional<DurationField>& duration = ticket.spec.duration;
  return duration && duration->valid() ? std::optional(duration->value()) : std::nullopt;
}

}  // namespace korder::api
