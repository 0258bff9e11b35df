#include "api/value/cron_schedule.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

using absl::CivilMinute;

// The matching minutes from `from` on, without the year.
std::vector<std::string> Firings(std::string_view expression, CivilMinute from, size_t count) {
  const CronSchedule schedule = ParseCronSchedule(expression).value();
  std::vector<std::string> firings;
  while (firings.size() < count) {
    from = schedule.FirstAtOrAfter(from).value();
    char text[32];
    std::snprintf(text, sizeof text, "%02d-%02d %02d:%02d", from.month(), from.day(), from.hour(),
                  from.minute());
    firings.emplace_back(text);
    ++from;
  }
  return firings;
}

TEST_CASE("cron schedule: expressions fire when they should", "[cron]") {
  struct Case {
    const char* expression;
    std::vector<std::string> want;  // from Tuesday, 1 January 2030
  };
  const Case cases[] = {
      {"* * * * *", {"01-01 00:00", "01-01 00:01"}},
      {"*/25 * * * *", {"01-01 00:00", "01-01 00:25", "01-01 00:50", "01-01 01:00"}},
      {"5/20 * * * *", {"01-01 00:05", "01-01 00:25", "01-01 00:45", "01-01 01:05"}},
      {"0,30-32 12 * * *", {"01-01 12:00", "01-01 12:30", "01-01 12:31", "01-01 12:32"}},
      {"0 8-20/4 * * *", {"01-01 08:00", "01-01 12:00", "01-01 16:00", "01-01 20:00"}},
      {"0 22-1 * * *", {"01-01 00:00", "01-01 01:00", "01-01 22:00", "01-01 23:00"}},
      {"0 22-3/3 * * *", {"01-01 01:00", "01-01 22:00", "01-02 01:00", "01-02 22:00"}},
      {"55-5/5 0 * * *", {"01-01 00:00", "01-01 00:05", "01-01 00:55", "01-02 00:00"}},
      {"0 0 30-2 * *", {"01-01 00:00", "01-02 00:00", "01-30 00:00", "01-31 00:00"}},
      {"0 0 1 nov-FEB *", {"01-01 00:00", "02-01 00:00", "11-01 00:00", "12-01 00:00"}},
      {"0 0 * * FRI-MON", {"01-04 00:00", "01-05 00:00", "01-06 00:00", "01-07 00:00"}},
      {"0 0 * * 5-7", {"01-04 00:00", "01-05 00:00", "01-06 00:00", "01-11 00:00"}},
      {"0 0 * * 7-2", {"01-01 00:00", "01-06 00:00", "01-07 00:00", "01-08 00:00"}},
      {"0 0 * * 7", {"01-06 00:00", "01-13 00:00"}},
      {"0 0 * * 7-7", {"01-06 00:00", "01-13 00:00"}},
      {"0 0 * * 0-7/3", {"01-02 00:00", "01-05 00:00", "01-06 00:00", "01-09 00:00"}},
      {"0 0 ? * ?", {"01-01 00:00", "01-02 00:00"}},
      {"0 0 L * *", {"01-31 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00"}},
      {"0 0 L-3,L * *", {"01-28 00:00", "01-31 00:00", "02-25 00:00", "02-28 00:00"}},
      // The 15th of June is a Saturday, of September a Sunday.
      {"0 0 15W 6,9 *", {"06-14 00:00", "09-16 00:00"}},
      // Never out of the month: 1 June is a Saturday; 31 March and 30 June are Sundays.
      {"0 0 1W 6 *", {"06-03 00:00"}},
      {"0 0 31W 3 *", {"03-29 00:00"}},
      {"0 0 lw 3,6,8 *", {"03-29 00:00", "06-28 00:00", "08-30 00:00"}},
      {"0 0 * * 5L", {"01-25 00:00", "02-22 00:00", "03-29 00:00"}},
      {"0 0 * * THUL", {"01-31 00:00", "02-28 00:00", "03-28 00:00"}},
      {"0 0 * * sunl", {"01-27 00:00", "02-24 00:00"}},
      {"0 0 * * MON#1,3#5", {"01-07 00:00", "01-30 00:00", "02-04 00:00", "03-04 00:00"}},
      {"0 0 * * 7#2", {"01-13 00:00", "02-10 00:00"}},
      {"@hourly", {"01-01 00:00", "01-01 01:00"}},
      {"@daily", {"01-01 00:00", "01-02 00:00"}},
      {"@weekly", {"01-06 00:00", "01-13 00:00"}},
      {"@monthly", {"01-01 00:00", "02-01 00:00"}},
      {"@yearly", {"01-01 00:00", "01-01 00:00"}},
      {"  0\t0   1 1 *  ", {"01-01 00:00"}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.expression) {
      CHECK(Firings(c.expression, CivilMinute(2030, 1, 1), c.want.size()) == c.want);
    }
  }
}

TEST_CASE("cron schedule: two restricted day fields are alternatives, a star is no restriction",
          "[cron]") {
  const CivilMinute start(2030, 1, 1);
  CHECK(Firings("0 0 13 * FRI", start, 4) ==
        std::vector<std::string>{"01-04 00:00", "01-11 00:00", "01-13 00:00", "01-18 00:00"});
  CHECK(Firings("0 0 * * FRI", start, 2) == std::vector<std::string>{"01-04 00:00", "01-11 00:00"});
  CHECK(Firings("0 0 13 * ?", start, 2) == std::vector<std::string>{"01-13 00:00", "02-13 00:00"});
  CHECK(Firings("0 0 */1 * FRI", start, 1) == std::vector<std::string>{"01-04 00:00"});
  // A star with a step leaves days out, so it restricts, as in a CronJob.
  CHECK(Firings("0 0 */10 * FRI", start, 4) ==
        std::vector<std::string>{"01-01 00:00", "01-04 00:00", "01-11 00:00", "01-18 00:00"});
  CHECK(Firings("0 0 LW * 1#1", start, 3) ==
        std::vector<std::string>{"01-07 00:00", "01-31 00:00", "02-04 00:00"});
}

TEST_CASE("cron schedule: leap days are found across a century without one", "[cron]") {
  const CronSchedule schedule = ParseCronSchedule("30 12 29 2 *").value();
  CHECK(schedule.FirstAtOrAfter(CivilMinute(2028, 2, 29, 12, 30)) ==
        CivilMinute(2028, 2, 29, 12, 30));
  CHECK(schedule.FirstAtOrAfter(CivilMinute(2028, 2, 29, 12, 31)) ==
        CivilMinute(2032, 2, 29, 12, 30));
  CHECK(schedule.FirstAtOrAfter(CivilMinute(2097, 1, 1)) == CivilMinute(2104, 2, 29, 12, 30));
  CHECK(schedule.LastAtOrBefore(CivilMinute(2104, 2, 29, 12, 29)) ==
        CivilMinute(2096, 2, 29, 12, 30));
  // A fifth Sunday in February needs a leap year that begins on a Thursday.
  const CronSchedule rare = ParseCronSchedule("0 0 * 2 SUN#5").value();
  CHECK(rare.FirstAtOrAfter(CivilMinute(2032, 3, 1)) == CivilMinute(2060, 2, 29));
  CHECK(rare.FirstAtOrAfter(CivilMinute(2088, 3, 1)) == CivilMinute(2128, 2, 29));
  CHECK(rare.LastAtOrBefore(CivilMinute(2128, 2, 28)) == CivilMinute(2088, 2, 29));
  CHECK(rare.LastAtOrBefore(CivilMinute(2032, 2, 28, 23, 59)) == CivilMinute(2004, 2, 29));
}

TEST_CASE("cron schedule: however rare it is, a search looks at the days of 42 months at most",
          "[cron]") {
  struct Case {
    const char* expression;
    int most;
  };
  // The month in which the search begins counts, too.
  const Case cases[] = {
      {"* * * * *", 2},      {"59 23 31 12 *", 2}, {"0 0 31 * *", 3},
      {"0 0 29 2 *", 9},     {"0 0 29W 2 *", 9},   {"0 0 29 2 1#5", 9},
      {"0 0 * 2 SUN#5", 42}, {"0 0 * 2 1#5", 42},  {"0 0 ? FEB 6#5", 42},
      {"0 0 L-28 2 *", 9},   {"0 0 * * MON#5", 6}, {"0 0 31 2,4,6,9,11,12 *", 7},
  };
  for (const Case& c : cases) {
    const CronSchedule schedule = ParseCronSchedule(c.expression).value();
    // From each month of the calendar's whole cycle.
    int most = 0;
    for (CivilMinute from(2000, 1, 31, 23, 59); from.year() < 2400;
         from = CivilMinute(absl::CivilMonth(from) + 2) - 1) {
      for (const CronSearch& search :
           {schedule.SearchForward(from), schedule.SearchBackward(from)}) {
        most = std::max(most, search.months);
        if (!search.found) {
          FAIL(c.expression << " found nothing");
        }
      }
    }
    CAPTURE(c.expression);
    CHECK(most <= c.most);
  }
  // Finding out that nothing ever comes looks through the 400 years once.
  CronSchedule never;
  never.minutes = never.hours = 1;
  never.months = 1 << 2;
  never.days = {.days_of_month = uint32_t{1} << 30, .any_day_of_week = true};
  CHECK_FALSE(never.FirstAtOrAfter(CivilMinute(2000, 1, 1)));
  CHECK(never.SearchForward(CivilMinute(2000, 1, 1)).months <= 402);
  CHECK(never.SearchBackward(CivilMinute(2000, 1, 1)).months <= 402);
}

TEST_CASE("cron schedule: what never comes is refused", "[cron]") {
  for (const char* expression :
       {"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 L-30 2 *", "0 0 31W 4 *", "0 0 L-29 FEB ?"}) {
    CAPTURE(expression);
    CHECK(Message(ParseCronSchedule(expression).status()) == "never fires: no such day exists");
  }
  CHECK(ParseCronSchedule("0 0 30 2 MON").ok());  // Mondays do exist.
  CHECK(ParseCronSchedule("0 0 30 2,3 *").ok());
}

TEST_CASE("cron schedule: errors name the field and its range", "[cron]") {
  struct Case {
    const char* expression;
    const char* want;
  };
  const Case cases[] = {
      {"61 * * * *", "minute must be 0-59"},
      {"60 * * * *", "minute must be 0-59"},
      {"-1 * * * *", "minute must be 0-59"},
      {"x * * * *", "minute must be 0-59"},
      {"1,,2 * * * *", "minute must be 0-59"},
      {", * * * *", "minute must be 0-59"},
      {"1-2-3 * * * *", "minute must be 0-59"},
      {"5- * * * *", "minute must be 0-59"},
      {"*-5 * * * *", "minute must be 0-59"},
      {"? * * * *", "minute must be 0-59"},
      {"L * * * *", "minute must be 0-59"},
      {"99999999999 * * * *", "minute must be 0-59"},
      {"*/0 * * * *", "minute step must be 1-60"},
      {"*/61 * * * *", "minute step must be 1-60"},
      {"*/ * * * *", "minute step must be 1-60"},
      {"*/5/5 * * * *", "minute step must be 1-60"},
      {"0 24 * * *", "hour must be 0-23"},
      {"0 */25 * * *", "hour step must be 1-24"},
      {"0 0 0 * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 32 * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 L-31 * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 L3 * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 W * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 1-5W * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 ?/2 * *", "day of month must be 1-31 (or L, L-3, LW, 15W)"},
      {"0 0 * 13 *", "month must be 1-12 or JAN-DEC"},
      {"0 0 * 0 *", "month must be 1-12 or JAN-DEC"},
      {"0 0 * JANUARY *", "month must be 1-12 or JAN-DEC"},
      {"0 0 * * 8", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"0 0 * * L", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"0 0 * * MON#6", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"0 0 * * MON#0", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"0 0 * * #1", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"0 0 * * JAN", "day of week must be 0-7 or SUN-SAT (or 5L, MON#2)"},
      {"", "must have five fields (minute, hour, day of month, month, day of week), not 0"},
      {"* * * *", "must have five fields (minute, hour, day of month, month, day of week), not 4"},
      {"0 * * * * *",
       "must have five fields (minute, hour, day of month, month, day of week), not 6"},
      {"@reboot", "must be five fields or one of @hourly, @daily, @weekly, @monthly, @yearly"},
      {"@every 1h",
       "must have five fields (minute, hour, day of month, month, day of week), not 2"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.expression) {
      const absl::Status status = ParseCronSchedule(c.expression).status();
      CHECK(absl::IsInvalidArgument(status));
      CHECK(Message(status) == c.want);
    }
  }
}

}  // namespace
}  // namespace korder::api
