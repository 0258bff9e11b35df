// A cron expression in a time zone, and when it fires.
//
//   ASSIGN_OR_RETURN(const Cron cron, Cron::Parse("0 18-8 * * MON-FRI", "Europe/Berlin"));
//   std::optional<absl::Time> next = cron.Next(now);   // strictly after `now`
//
// Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday). Each is a list
// of values, names (MON, JAN), ranges, which may wrap around (18-8, FRI-MON), `*`, and any of these
// with a step (`*/15`, `8-20/4`; `5/15` means 5-59/15). `?` is `*` for the day fields. Also L (the
// last day), L-3 (three days before it), 15W (the weekday nearest to the 15th, in the same month),
// LW (the last weekday), 5L (the last Friday), MON#2 (the second Monday); @hourly, @daily, @weekly,
// @monthly, @yearly; and a prefix TZ=<zone> or CRON_TZ=<zone>. When both day fields restrict
// something, a day that satisfies either matches; `*/2` restricts, as it does in a CronJob.
//
// Clock changes, without exception for hourly or shorter schedules: every matching local minute
// fires once. One that does not exist fires at the first instant after the gap, where any number of
// them come together in one firing. One that occurs twice fires the first time only. So with
// `*/30 * * * *` in New York the firing after 01:30 is, in spring, at 03:00, half an hour later; in
// autumn at 02:00, an hour and a half later.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "api/value/cron_schedule.h"
#include "base/status.h"

namespace korder::api {

// An immutable value, cheap to copy. Thread-safe.
class Cron {
 public:
  // `time_zone` is an IANA name; when it is empty the expression's own prefix counts, or UTC.
  // INVALID_ARGUMENT with the rule that is broken: "minute must be 0-59", an unknown zone, a prefix
  // that differs from `time_zone`, an expression that never fires.
  static absl::StatusOr<Cron> Parse(std::string_view expression, std::string_view time_zone = "");

  // The first firing after, or the last one at or before, an instant; nullopt only beyond the ends
  // of absl::Time.
  std::optional<absl::Time> Next(absl::Time after) const;
  std::optional<absl::Time> Previous(absl::Time at_or_before) const;

  absl::TimeZone zone() const { return zone_; }

 private:
  Cron(CronSchedule schedule, absl::TimeZone zone) : schedule_(schedule), zone_(zone) {}

  CronSchedule schedule_;
  absl::TimeZone zone_;
};

// The zone with this IANA name, from the system's database. INVALID_ARGUMENT when there is none;
// paths and "localtime" are none.
absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view name);

}  // namespace korder::api
