// The calendar half of a cron expression: which minutes of the civil calendar match, without any
// time zone. Most code wants Cron (cron.h).
//
//   ASSIGN_OR_RETURN(const CronSchedule schedule, ParseCronSchedule("0 9 LW * *"));
//   schedule.FirstAtOrAfter(absl::CivilMinute(2030, 1, 1));   // 2030-01-31T09:00
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "base/status.h"

namespace korder::api {

// A day matches when it satisfies the day-of-month fields and the day-of-week fields; when both
// restrict something, satisfying one is enough (the rule of Vixie cron).
struct CronDays {
  bool any_day_of_month = false;    // * or ?
  uint32_t days_of_month = 0;       // bit n: day n
  uint32_t days_before_last = 0;    // bit n: n days before the month's last (L is bit 0)
  uint32_t nearest_weekdays = 0;    // bit n: nW, the Monday-to-Friday day nearest to day n
  bool last_weekday = false;        // LW, the last Monday-to-Friday day
  bool any_day_of_week = false;     // * or ?
  uint8_t days_of_week = 0;         // bit n: weekday n, Sunday is 0
  uint8_t last_days_of_week = 0;    // bit n: nL, the last such weekday of the month
  std::array<uint8_t, 6> nth = {};  // nth[k], bit n: n#k, the k-th such weekday of the month

  // Bit n: day n of `month` matches.
  uint32_t Matching(absl::CivilMonth month) const;
};

// What a search came to.
struct CronSearch {
  std::optional<absl::CivilMinute> found;
  // How many months had their days computed, which is what a search costs: at most 41 when there is
  // something to find (a leap day on one weekday, over a century without leap day).
  int months = 0;
};

struct CronSchedule {
  uint64_t minutes = 0;  // bit n: minute n
  uint32_t hours = 0;
  uint32_t months = 0;
  CronDays days;

  // The matching minute nearest to `minute` in one direction, itself included. nullopt only when
  // the schedule never matches: the calendar repeats itself after the 400 years that are searched.
  // The next month, day, hour and minute are each read from a mask, in constant time.
  std::optional<absl::CivilMinute> FirstAtOrAfter(absl::CivilMinute minute) const {
    return SearchForward(minute).found;
  }
  std::optional<absl::CivilMinute> LastAtOrBefore(absl::CivilMinute minute) const {
    return SearchBackward(minute).found;
  }
  CronSearch SearchForward(absl::CivilMinute minute) const;
  CronSearch SearchBackward(absl::CivilMinute minute) const;
};

// Five fields or a macro such as @daily. INVALID_ARGUMENT with the rule that `text` breaks
// ("minute must be 0-59"), also for what never matches (30 February).
absl::StatusOr<CronSchedule> ParseCronSchedule(std::string_view text);

}  // namespace korder::api
