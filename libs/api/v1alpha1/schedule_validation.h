// Checks what says when: schedules, time zones, durations.
#pragma once

#include <optional>
#include <string>

#include "api/meta/problems.h"
#include "api/v1alpha1/duration_field.h"

namespace korder::api {

// A cron expression and the time zone beside it. `parent` holds the fields schedule and timeZone.
void CheckSchedule(const std::string& schedule, const std::string& time_zone,
                   const FieldPath& parent, Problems& problems);

// An IANA name; empty is fine.
void CheckTimeZone(const std::string& name, const FieldPath& path, Problems& problems);

// Absent is fine.
void CheckPositive(const std::optional<DurationField>& duration, const FieldPath& path,
                   Problems& problems);
void CheckNotNegative(const std::optional<DurationField>& duration, const FieldPath& path,
                      Problems& problems);

}  // namespace korder::api
