#include "api/value/cron_schedule.h"

#include <algorithm>
#include <bit>
#include <iterator>

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

// Calls `visit` with the number of each bit that is set.
template <class Visit>
void ForEachBit(uint32_t mask, Visit visit) {
  for (; mask != 0; mask &= mask - 1) {
    visit(std::countr_zero(mask));
  }
}

uint32_t MatchingDaysOfMonth(const CronDays& days, const MonthDays& month) {
  uint32_t mask = days.days_of_month;
  ForEachBit(days.days_before_last,
             [&](int before) { mask |= before < month.last() ? Bit(month.last() - before) : 0; });
  ForEachBit(days.nearest_weekdays,
             [&](int day) { mask |= day <= month.last() ? Bit(month.NearestWeekday(day)) : 0; });
  if (days.last_weekday) {
    const int weekday = month.WeekdayOf(month.last());
    mask |= Bit(month.last() - (weekday == kSaturday ? 1 : weekday == kSunday ? 2 : 0));
  }
  return mask & month.all();
}

// The weekdays of a mask as bits of seven days, the first of which is `first_day`.
uint32_t Week(uint8_t weekdays, int first_day, const MonthDays& month) {
  const int first = month.WeekdayOf(first_day);
  return static_cast<uint32_t>((weekdays >> first | weekdays << (7 - first)) & 0x7f) << first_day;
}

uint32_t MatchingDaysOfWeek(const CronDays& days, const MonthDays& month) {
  constexpr int kWeekBegins[] = {1, 8, 15, 22, 29};
  uint64_t mask = Week(days.last_days_of_week, month.last() - 6, month);
  for (size_t week = 0; week < std::size(kWeekBegins); ++week) {
    const uint8_t weekdays = days.days_of_week | days.nth[week + 1];
    mask |= uint64_t{Week(weekdays, 1, month)} << (kWeekBegins[week] - 1);
  }
  return static_cast<uint32_t>(mask) & month.all();
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

// The nearest month of the mask after, or before, this one. REQUIRES: the mask has one of 1 to 12.
absl::CivilMonth NextIn(uint64_t months, absl::CivilMonth month) {
  const uint64_t later = months >> month.month() >> 1;  // bit n: n + 1 months later
  return later != 0 ? month + (Lowest(later) + 1)
                    : absl::CivilMonth(month.year() + 1, Lowest(months));
}
absl::CivilMonth PreviousIn(uint64_t months, absl::CivilMonth month) {
  const uint64_t earlier = UpTo(months, month.month() - 1);
  return earlier != 0 ? absl::CivilMonth(month.year(), Highest(earlier))
                      : absl::CivilMonth(month.year() - 1, Highest(months));
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

CronSearch CronSchedule::SearchForward(absl::CivilMinute minute) const {
  CronSearch search;
  absl::CivilMonth month(minute);
  for (const absl::CivilMonth end = month + kMonthsOfCycle; month <= end;
       month = NextIn(months, month)) {
    ++search.months;
    const bool first_month = month == absl::CivilMonth(minute);
    const uint64_t matching = Has(months, month.month()) ? days.Matching(month) : 0;
    for (uint64_t left = first_month ? From(matching, minute.day()) : matching; left != 0;
         left &= left - 1) {
      const int day = Lowest(left);
      const bool first_day = first_month && day == minute.day();
      const TimeOfDay from = first_day ? TimeOfDay{minute.hour(), minute.minute()} : TimeOfDay{};
      if (const auto time = api::FirstAtOrAfter(*this, from)) {
        search.found = At(month, day, *time);
        return search;
      }
    }
  }
  return search;
}

CronSearch CronSchedule::SearchBackward(absl::CivilMinute minute) const {
  CronSearch search;
  absl::CivilMonth month(minute);
  for (const absl::CivilMonth end = month - kMonthsOfCycle; month >= end;
       month = PreviousIn(months, month)) {
    ++search.months;
    const bool first_month = month == absl::CivilMonth(minute);
    const uint64_t matching = Has(months, month.month()) ? days.Matching(month) : 0;
    for (uint64_t left = first_month ? UpTo(matching, minute.day()) : matching; left != 0;
         left ^= uint64_t{1} << Highest(left)) {
      const int day = Highest(left);
      const bool first_day = first_month && day == minute.day();
      const TimeOfDay from =
          first_day ? TimeOfDay{minute.hour(), minute.minute()} : TimeOfDay{23, 59};
      if (const auto time = api::LastAtOrBefore(*this, from)) {
        search.found = At(month, day, *time);
        return search;
      }
    }
  }
  return search;
}

}  // namespace korder::api
