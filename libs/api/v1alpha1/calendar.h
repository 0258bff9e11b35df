// The texts by which Orders and Quotas name parts of the calendar.
//
//   ASSIGN_OR_RETURN(const DayHours hours, ParseDayHours("22:00-06:00"));
//   ASSIGN_OR_RETURN(const SkipEntry skip, ParseSkipEntry("2026-12-24"));
#pragma once

#include <string_view>
#include <variant>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "base/status.h"

namespace korder::api {

// A part of each day, in minutes since midnight; the begin belongs to it, the end does not.
struct DayHours {
  int begin = 0;
  int end = 0;  // 1440 is the end of the day; smaller than `begin`: on the next day

  bool operator==(const DayHours&) const = default;
};

// "09:00-18:00", "22:00-06:00" (passes midnight), "18:00-24:00". INVALID_ARGUMENT with the rule.
absl::StatusOr<DayHours> ParseDayHours(std::string_view text);

// The one occurrence that begins at an instant, or all that begin on a day of the order's zone.
using SkipEntry = std::variant<absl::Time, absl::CivilDay>;

// "2026-12-24T02:00:00Z" or "2026-12-24". INVALID_ARGUMENT with the rule.
absl::StatusOr<SkipEntry> ParseSkipEntry(std::string_view text);

}  // namespace korder::api
