#include "ticket-svc/expiry.h"

#include <algorithm>

namespace korder::ticket {

std::optional<absl::Time> WindowEnd(const api::Ticket& ticket) {
  if (ticket.status.activation_time) {
    return ticket.status.expiration_time;
  }
  if (ticket.spec.start_time && ticket.spec.duration) {
    return *ticket.spec.start_time + ticket.spec.duration->value();
  }
  return std::nullopt;
}

std::optional<absl::Time> WindowEndWhenReady(const api::Ticket& ticket, absl::Time now) {
  if (!ticket.spec.duration) {
    return std::nullopt;
  }
  return ticket.spec.start_time.value_or(now) + ticket.spec.duration->value();
}

std::optional<absl::Time> ExpiringFrom(const api::Ticket& ticket) {
  const api::TicketStatus& status = ticket.status;
  if (!status.activation_time || !status.expiration_time) {
    return std::nullopt;
  }
  const absl::Duration window = *status.expiration_time - *status.activation_time;
  return *status.expiration_time - std::min(window / 10, absl::Minutes(10));
}

std::optional<absl::Time> CleanupTime(const api::Ticket& ticket) {
  const api::TicketLifecycle& lifecycle = ticket.spec.lifecycle;
  if (lifecycle.cleanup_policy != api::CleanupPolicy::kDelete || !ticket.status.finished_time) {
    return std::nullopt;
  }
  return *ticket.status.finished_time + absl::Seconds(lifecycle.ttl_seconds_after_finished);
}

}  // namespace korder::ticket
