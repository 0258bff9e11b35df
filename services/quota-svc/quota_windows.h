// The time windows of a Quota: which one is open at an instant, and when that changes.
//
//   const Windows windows = CompileWindows(quota.spec.time_windows, problems);
//   const OpenWindow open = OpenAt(windows, now);   // open.index: the first that is open
//   Scaled(limit, windows[*open.index].multiplier, false);
//
// A window by `schedule` is open for `duration` after each tick; ticks closer together than that
// keep it open. A window by `days` and `hours` is open by the local clock, and belongs to the day
// it begins on when it passes midnight: a begin that occurs twice counts the first time, an end
// that occurs twice the second time, and one that does not exist is the instant of the clock
// change. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/quota.h"
#include "api/value/cron.h"
#include "api/value/field_error.h"
#include "api/value/quantity.h"

namespace korder::quota {

struct TickWindow {
  api::Cron ticks;
  absl::Duration duration;
};
struct DayWindow {
  std::set<api::Weekday> days;
  api::DayHours hours;
  absl::TimeZone zone;
};

struct TimeWindow {
  std::string name;
  api::Quantity multiplier;  // exact
  std::variant<TickWindow, DayWindow> when;
};
using Windows = std::vector<TimeWindow>;

// Windows that cannot be understood are left out and named in `problems`.
Windows CompileWindows(const std::vector<api::QuotaTimeWindow>& written,
                       std::vector<api::FieldError>& problems);

struct OpenWindow {
  std::optional<size_t> index;  // the first that is open
  // When another answer begins; absent when none ever does. For windows that are open without a gap
  // for very long (a thousand ticks, a thousand days) it is an instant to ask again.
  std::optional<absl::Time> until;
};
OpenWindow OpenAt(const Windows& windows, absl::Time now);

// The limit times the multiplier, rounded down: counts to whole numbers, amounts to 10^-9 units. At
// most what a quantity can be.
api::Quantity Scaled(const api::Quantity& limit, const api::Quantity& multiplier, bool is_count);

}  // namespace korder::quota
