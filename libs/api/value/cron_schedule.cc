#include "api/value/cron_schedule.h"

#include <algorithm>
#include <bit>

namespace korder::api {
namespace {

constexpr int kMonthsOfCycle = 400 * 12;
constexpr int kSunday = 0;
constexpr int kSaturday = 6;

// The days of one month by number, and the weekdays they fall on.
class MonthDays {
 public:
  explicit MonthDays(absl::CivilMonth month)
      : last_(static_cast<int>(absl::CivilDay(month + 1) - absl::CivilDay(month))),
        // absl counts from Monday, cron from Sunday.
        first_weekday_((static_cast<int>(absl::GetWeekday(absl::CivilDay(month))) + 1) % 7) {}

  int last() const { return last_; }
  // Bits 1 to last().
  uint32_t all() const { return static_cast<uint32_t>((uint64_t{2} << last_) - 2); }
  int WeekdayOf(int day) const { return (first_weekday_ + day - 1) % 7; }
  // The first day that is a `weekday`.
  int FirstOf(int weekday) const { return 1 + (weekday - first_weekday_ + 7) % 7; }
  // The Monday-to-Friday day nearest to `day` in the same month.
  int NearestWeekday(int day) const {
    switch (WeekdayOf(day)) {
      case kSaturday:
        return day > 1 ? day - 1 : day + 2;
      case kSunday:
        return day < last_ ? day + 1 : day - 2;
      default:
        return day;
    }
  }

 private:
  int last_;
  int first_weekday_;
};

template <class Mask>
bool Has(Mask mask, int bit) {
  return (mask >> bit & 1) != 0;
}

uint32_t Bit(int day) { return uint32_t{1} << day; }

uint32_t MatchingDaysOfMonth(const CronDays& days, const MonthDays& month) {
  uint32_t mask = days.days_of_month;
  for (int day = 1; day <= month.last(); ++day) {
    if (Has(days.days_before_last, month.last() - day)) {
      mask |= Bit(day);
    }
    if (Has(days.nearest_weekdays, day)) {
      mask |= Bit(month.NearestWeekday(day));
    }
  }
  if (days.last_weekday) {
    const int weekday = month.WeekdayOf(month.last());
    mask |= Bit(month.last() - (weekday == kSaturday ? 1 : weekday == kSunday ? 2 : 0));
  }
  return mask & month.all();
}

uint32_t MatchingDaysOfWeek(const CronDays& days, const MonthDays& month) {
  uint32_t mask = 0;
  for (int day = 1; day <= month.last(); ++day) {
    const int weekday = month.WeekdayOf(day);
    const int ordinal = (day - 1) / 7 + 1;
    if (Has(days.days_of_week, weekday) || Has(days.nth[static_cast<size_t>(ordinal)], weekday) ||
        (Has(days.last_days_of_week, weekday) && day + 7 > month.last())) {
      mask |= Bit(day);
    }
  }
  return mask;
}

// The bits from `from` upwards, or up to `to`, of a mask of at most 64 bits. REQUIRES: 0 <= bit
// < 64.
uint64_t From(uint64_t mask, int from) { return mask >> from << from; }
uint64_t UpTo(uint64_t mask, int to) { return mask << (63 - to) >> (63 - to); }
// REQUIRES: mask != 0.
int Lowest(uint64_t mask) { return std::countr_zero(mask); }
int Highest(uint64_t mask) { return 63 - std::countl_zero(mask); }

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
};

std::optional<TimeOfDay> FirstAtOrAfter(const CronSchedule& schedule, TimeOfDay time) {
  uint64_t hours = From(schedule.hours, time.hour);
  if (Has(hours, time.hour)) {
    if (const uint64_t minutes = From(schedule.minutes, time.minute); minutes != 0) {
      return TimeOfDay{time.hour, Lowest(minutes)};
    }
    hours &= hours - 1;
  }
  return hours == 0 ? std::nullopt
                    : std::optional(TimeOfDay{Lowest(hours), Lowest(schedule.minutes)});
}

std::optional<TimeOfDay> LastAtOrBefore(const CronSchedule& schedule, TimeOfDay time) {
  uint64_t hours = UpTo(schedule.hours, time.hour);
  if (Has(hours, time.hour)) {
    if (const uint64_t minutes = UpTo(schedule.minutes, time.minute); minutes != 0) {
      return TimeOfDay{time.hour, Highest(minutes)};
    }
    hours ^= uint64_t{1} << time.hour;
  }
  return hours == 0 ? std::nullopt
                    : std::optional(TimeOfDay{Highest(hours), Highest(schedule.minutes)});
}

absl::CivilMinute At(absl::CivilMonth month, int day, TimeOfDay time) {
  return absl::CivilMinute(month.year(), month.month(), day, time.hour, time.minute);
}

}  // namespace

uint32_t CronDays::Matching(absl::CivilMonth month) const {
  const MonthDays days(month);
  if (any_day_of_month && any_day_of_week) {
    return days.all();
  }
  if (any_day_of_month) {
    return MatchingDaysOfWeek(*this, days);
  }
  if (any_day_of_week) {
    return MatchingDaysOfMonth(*this, days);
  }
  return MatchingDaysOfMonth(*this, days) | MatchingDaysOfWeek(*this, days);
}

std::optional<absl::CivilMinute> CronSchedule::FirstAtOrAfter(absl::CivilMinute minute) const {
  const absl::CivilMonth start(minute);
  for (int i = 0; i <= kMonthsOfCycle; ++i) {
    const absl::CivilMonth month = start + i;
    if (!Has(months, month.month())) {
      continue;
    }
    const uint64_t matching = days.Matching(month);
    for (uint64_t left = i == 0 ? From(matching, minute.day()) : matching; left != 0;
         left &= left - 1) {
      const int day = Lowest(left);
      const bool first_day = i == 0 && day == minute.day();
      const TimeOfDay from = first_day ? TimeOfDay{minute.hour(), minute.minute()} : TimeOfDay{};
      if (const auto time = api::FirstAtOrAfter(*this, from)) {
        return At(month, day, *time);
      }
    }
  }
  return std::nullopt;
}

std::optional<absl::CivilMinute> CronSchedule::LastAtOrBefore(absl::CivilMinute minute) const {
  const absl::CivilMonth start(minute);
  for (int i = 0; i <= kMonthsOfCycle; ++i) {
    const absl::CivilMonth month = start - i;
    if (!Has(months, month.month())) {
      continue;
    }
    const uint64_t matching = days.Matching(month);
    for (uint64_t left = i == 0 ? UpTo(matching, minute.day()) : matching; left != 0;
         left ^= uint64_t{1} << Highest(left)) {
      const int day = Highest(left);
      const bool first_day = i == 0 && day == minute.day();
      const TimeOfDay from =
          first_day ? TimeOfDay{minute.hour(), minute.minute()} : TimeOfDay{23, 59};
      if (const auto time = api::LastAtOrBefore(*this, from)) {
        return At(month, day, *time);
      }
    }
  }
  return std::nullopt;
}

}  // namespace korder::api
