#include "api/v1alpha1/ticket_window.h"

namespace korder::api {

bool HasBegun(const Ticket& ticket) { return ticket.status.activation_time.has_value(); }

std::optional<absl::Time> WindowStart(const Ticket& ticket) {
  return ticket.spec.start_time ? ticket.spec.start_time : ticket.status.activation_time;
}

std::optional<absl::Time> WantedEnd(const Ticket& ticket) {
  const std::optional<absl::Time> start = WindowStart(ticket);
  const std::optional<DurationField>& duration = ticket.spec.duration;
  if (!start || (duration && !duration->valid())) {
    return std::nullopt;
  }
  return duration ? *start + duration->value() : absl::InfiniteFuture();
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
