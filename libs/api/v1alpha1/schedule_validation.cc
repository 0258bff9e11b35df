#include "api/v1alpha1/schedule_validation.h"

#include "api/value/cron.h"
#include "api/value/duration.h"

namespace korder::api {
namespace {

void CheckDuration(const std::optional<DurationField>& duration, bool positive,
                   const FieldPath& path, Problems& problems) {
  if (!duration.has_value()) {
    return;
  }
  const std::string& text = duration->text();
  if (!duration->valid()) {
    problems.Add(path, text, Message(ParseDuration(text).status()));
  } else if (positive && duration->value() <= absl::ZeroDuration()) {
    problems.Add(path, text, "must be longer than zero");
  } else if (duration->value() < absl::ZeroDuration()) {
    problems.Add(path, text, "must not be negative");
  }
}

}  // namespace

void CheckSchedule(const std::string& schedule, const std::string& time_zone,
                   const FieldPath& parent, Problems& problems) {
  CheckTimeZone(time_zone, parent / "timeZone", problems);
  // A bad zone is one problem, the expression may be another: look at it without the zone then.
  const bool zone_known = time_zone.empty() || FindTimeZone(time_zone).ok();
  const absl::Status status = Cron::Parse(schedule, zone_known ? time_zone : "").status();
  if (!status.ok()) {
    problems.Add(parent / "schedule", schedule, Message(status));
  }
}

void CheckTimeZone(const std::string& name, const FieldPath& path, Problems& problems) {
  if (!name.empty() && !FindTimeZone(name).ok()) {
    problems.Add(path, name, "must be an IANA time zone name such as Europe/Berlin or UTC");
  }
}

void CheckPositive(const std::optional<DurationField>& duration, const FieldPath& path,
                   Problems& problems) {
  CheckDuration(duration, true, path, problems);
}

void CheckNotNegative(const std::optional<DurationField>& duration, const FieldPath& path,
                      Problems& problems) {
  CheckDuration(duration, false, path, problems);
}

}  // namespace korder::api
