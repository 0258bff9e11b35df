#include "ticket-svc/expiry.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/value/duration.h"

namespace korder::ticket {

LeadTime LeadTimeOf(const GuardedTicket& ticket) {
  const auto& annotations = ticket.form->metadata.annotations;
  const auto it = annotations.find(api::kAnnotationLeadTime);
  if (!ticket.form->spec.start_time || it == annotations.end()) {
    return {};
  }
  const absl::StatusOr<absl::Duration> lead = api::ParseDuration(it->second);
  if (lead.ok() && *lead >= absl::ZeroDuration()) {
    return {*lead, {}};
  }
  return {absl::ZeroDuration(),
          {{absl::StrCat("metadata.annotations[", std::string(api::kAnnotationLeadTime), "]"),
            it->second, "must be a duration such as 10m or 1h30m; it counts as 0"}}};
}

absl::Time GuardianFrom(const GuardedTicket& ticket) {
  return ticket.form->spec.start_time ? *ticket.form->spec.start_time - LeadTimeOf(ticket).value
                                      : absl::InfinitePast();
}

std::optional<absl::Time> WindowEnd(const api::WindowTerms& ticket) {
  if (ticket.activation_time) {
    return ticket.expiration_time;
  }
  // A duration that validation refuses ends nothing: the ticket is reported and left alone.
  const std::optional<api::DurationField>& duration = ticket.duration;
  if (ticket.start_time && duration && duration->value() > absl::ZeroDuration()) {
    return *ticket.start_time + duration->value();
  }
  return std::nullopt;
}

absl::Time WindowStartWhenReady(const api::WindowTerms& ticket, absl::Time now) {
  // Whole seconds, as everywhere in Kubernetes: people read them in kubectl's EXPIRES column.
  const absl::Time ready = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  return std::max(ready, ticket.start_time.value_or(ready));
}

std::optional<absl::Time> WindowEndWhenReady(const api::WindowTerms& ticket, absl::Time now) {
  if (!ticket.duration) {
    return std::nullopt;
  }
  return ticket.start_time.value_or(WindowStartWhenReady(ticket, now)) + ticket.duration->value();
}

std::optional<absl::Time> ExpiringFrom(const api::WindowTerms& ticket) {
  if (!ticket.activation_time || !ticket.expiration_time) {
    return std::nullopt;
  }
  const absl::Duration window = *ticket.expiration_time - *ticket.activation_time;
  return *ticket.expiration_time - std::min(window / 10, absl::Minutes(10));
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::optional<absl::Time> CleanupTime(const GuardedTicket& ticket) {
  const api::TicketLifecycle& lifecycle = ticket.form->spec.lifecycle;
  if (lifecycle.cleanup_policy != api::CleanupPolicy::kDelete || !ticket.status.finished_time) {
    return std::nullopt;
  }
  return *ticket.status.finished_time + absl::Seconds(lifecycle.ttl_seconds_after_finished);
}

}  // namespace korder::ticket
