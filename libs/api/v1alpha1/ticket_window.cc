#include "api/v1alpha1/ticket_window.h"

namespace korder::api {

bool HasBegun(const WindowTerms& ticket) { return ticket.activation_time.has_value(); }

std::optional<absl::Time> WindowStart(const WindowTerms& ticket) {
  return ticket.start_time ? ticket.start_time : ticket.activation_time;
}

std::optional<absl::Time> WantedEnd(const WindowTerms& ticket) {
  const std::optional<absl::Time> start = WindowStart(ticket);
  return start ? WindowEnd(*start, ticket.duration) : std::nullopt;
}

std::optional<absl::Time> WindowEnd(absl::Time start,
                                    const std::optional<DurationField>& duration) {
  if (!duration) {
    return absl::InfiniteFuture();
  }
  return duration->valid() ? std::optional(start + duration->value()) : std::nullopt;
}

absl::Time EndOfWindow(const WindowTerms& ticket) {
  return ticket.expiration_time.value_or(absl::InfiniteFuture());
}

std::optional<absl::Duration> HeldFor(const WindowTerms& ticket) {
  if (HasBegun(ticket)) {
    return ticket.expiration_time ? std::optional(*ticket.expiration_time - *WindowStart(ticket))
                                  : std::nullopt;
  }
  const std::optional<DurationField>& duration = ticket.duration;
  return duration && duration->valid() ? std::optional(duration->value()) : std::nullopt;
}

}  // namespace korder::api
