// Checks everything that says when: schedules, time zones, days to skip, hours of the day.
#pragma once

#include <string>
#include <string_view>

#include "api/meta/problems.h"

namespace korder::api {

// A cron expression and the time zone beside it. `parent` holds the fields schedule and timeZone.
void CheckSchedule(const std::string& schedule, const std::string& time_zone,
                   const FieldPath& parent, Problems& problems);

// An IANA name; empty is fine.
void CheckTimeZone(const std::string& name, const FieldPath& path, Problems& problems);

// An instant (RFC 3339) or a date.
void CheckSkip(const std::string& text, const FieldPath& path, Problems& problems);

// "09:00-18:00"; may pass midnight, and may end at 24:00.
void CheckHours(std::string_view text, const FieldPath& path, Problems& problems);

}  // namespace korder::api
