#include "quota-svc/quota_windows.h"

#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "quota-svc/claim.h"

namespace korder::quota {
namespace {

using api::Quantity;
using api::Weekday;

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &error));
  return time;
}

api::QuotaTimeWindow Ticks(const std::string& name, const std::string& schedule,
                           const std::string& zone = "") {
  return {.name = name, .multiplier = {"2"}, .schedule = schedule, .time_zone = zone};
}

api::QuotaTimeWindow Days(const std::string& name, std::vector<Weekday> days,
                          const std::string& hours, const std::string& zone = "") {
  return {.name = name,
          .multiplier = {"2"},
          .days = std::move(days),
          .hours = hours,
          .time_zone = zone};
}

Windows Compiled(const std::vector<api::QuotaTimeWindow>& written) {
  std::vector<api::FieldError> problems;
  Windows windows = CompileWindows(written, problems);
  INFO(api::JoinErrors(problems));
  REQUIRE(problems.empty());
  return windows;
}

// "name until time" or "closed until time".
std::string Text(const Windows& windows, const std::string& at) {
  const OpenWindow open = OpenAt(windows, At(at));
  return absl::StrCat(
      open.index ? windows[*open.index].name : "closed", " until ",
      open.until ? absl::FormatTime("%Y-%m-%dT%H:%MZ", *open.until, absl::UTCTimeZone()) : "ever");
}

const std::vector<Weekday> kAllDays = {Weekday::kMon, Weekday::kTue, Weekday::kWed, Weekday::kThu,
                                       Weekday::kFri, Weekday::kSat, Weekday::kSun};

}  // namespace

TEST_CASE("quota windows: each tick opens the duration, and ticks carry each other on",
          "[quota][windows]") {
  const Windows office = Compiled({Ticks("office", "0 9-17 * * 1-5")});
  CHECK(Text(office, "2026-11-23T08:59:59Z") == "closed until 2026-11-23T09:00Z");
  CHECK(Text(office, "2026-11-23T09:00:00Z") == "office until 2026-11-23T18:00Z");
  CHECK(Text(office, "2026-11-23T17:59:59Z") == "office until 2026-11-23T18:00Z");
  CHECK(Text(office, "2026-11-23T18:00:00Z") == "closed until 2026-11-24T09:00Z");
  CHECK(Text(office, "2026-11-27T20:00:00Z") == "closed until 2026-11-30T09:00Z");  // a weekend

  api::QuotaTimeWindow night = Ticks("night", "0 22 * * *");
  night.duration = absl::Hours(8);
  CHECK(Text(Compiled({night}), "2026-11-24T05:59:00Z") == "night until 2026-11-24T06:00Z");
}

TEST_CASE("quota windows: days and hours pass midnight with the day they begin on",
          "[quota][windows]") {
  const Windows friday = Compiled({Days("late", {Weekday::kFri}, "22:00-06:00")});
  CHECK(Text(friday, "2026-11-27T21:00:00Z") == "closed until 2026-11-27T22:00Z");
  CHECK(Text(friday, "2026-11-28T05:00:00Z") == "late until 2026-11-28T06:00Z");  // Saturday
  CHECK(Text(friday, "2026-11-27T05:00:00Z") == "closed until 2026-11-27T22:00Z");
  const Windows berlin = Compiled({Days("day", {Weekday::kMon}, "09:00-18:00", "Europe/Berlin")});
  CHECK(Text(berlin, "2026-11-23T08:30:00Z") == "day until 2026-11-23T17:00Z");
  // Neighbouring windows of one entry are one.
  const Windows weekend =
      Compiled({Days("weekend", {Weekday::kSat, Weekday::kSun}, "00:00-24:00")});
  CHECK(Text(weekend, "2026-11-28T12:00:00Z") == "weekend until 2026-11-30T00:00Z");
}

TEST_CASE("quota windows: the first in the list wins, and only what it covers matters",
          "[quota][windows]") {
  const Windows windows =
      Compiled({Days("lunch", kAllDays, "12:00-13:00"), Days("day", kAllDays, "09:00-18:00")});
  CHECK(Text(windows, "2026-11-23T10:00:00Z") == "day until 2026-11-23T12:00Z");
  CHECK(Text(windows, "2026-11-23T12:30:00Z") == "lunch until 2026-11-23T13:00Z");
  CHECK(Text(windows, "2026-11-23T13:00:00Z") == "day until 2026-11-23T18:00Z");
  // While the first is open the second one's edges change nothing.
  const Windows all =
      Compiled({Days("all", kAllDays, "08:00-20:00"), Days("x", kAllDays, "09:00-10:00")});
  CHECK(Text(all, "2026-11-23T08:30:00Z") == "all until 2026-11-23T20:00Z");
  CHECK(Text({}, "2026-11-23T08:30:00Z") == "closed until ever");
}

TEST_CASE("quota windows: clock changes", "[quota][windows]") {
  // New York: 2026-03-08 02:00 -> 03:00, 2026-11-01 02:00 -> 01:00.
  const Windows gap = Compiled({Days("w", {Weekday::kSun}, "02:30-04:00", "America/New_York")});
  CHECK(Text(gap, "2026-03-08T06:59:00Z") == "closed until 2026-03-08T07:00Z");
  CHECK(Text(gap, "2026-03-08T07:00:00Z") == "w until 2026-03-08T08:00Z");
  const Windows twice = Compiled({Days("w", {Weekday::kSun}, "01:15-01:45", "America/New_York")});
  CHECK(Text(twice, "2026-11-01T05:15:00Z") == "w until 2026-11-01T06:45Z");
  // An hour that does not exist is no window that day.
  const Windows none = Compiled({Days("w", {Weekday::kSun}, "02:10-02:50", "America/New_York")});
  CHECK(Text(none, "2026-03-08T06:00:00Z") == "closed until 2026-03-15T06:10Z");
  CHECK(Text(none, "2026-03-01T12:00:00Z") == "closed until 2026-03-15T06:10Z");
  // Lord Howe shifts by half an hour: 2026-10-04 02:00 -> 02:30.
  const Windows howe = Compiled({Days("w", {Weekday::kSun}, "01:00-03:00", "Australia/Lord_Howe")});
  CHECK(Text(howe, "2026-10-03T15:00:00Z") == "w until 2026-10-03T16:00Z");
}

TEST_CASE("quota windows: what changes next is exact, in every zone, across clock changes",
          "[quota][windows]") {
  std::mt19937 random(5);
  const char* zones[] = {"America/New_York", "Australia/Lord_Howe", "Europe/Berlin", "Asia/Kolkata",
                         "UTC"};
  const char* starts[] = {"2026-03-07T00:00:00Z", "2026-03-28T00:00:00Z", "2026-10-03T00:00:00Z",
                          "2026-10-31T00:00:00Z", "2026-06-01T00:00:00Z"};
  for (int run = 0; run < 30; ++run) {
    std::vector<api::QuotaTimeWindow> written;
    for (size_t i = 0; i <= random() % 3; ++i) {
      const std::string zone = zones[random() % 5];
      if (random() % 2 == 0) {
        written.push_back(Ticks(absl::StrCat("w", i),
                                absl::StrCat(random() % 60, " ", random() % 12, "-",
                                             12 + random() % 12, "/", 1 + random() % 4, " * * *"),
                                zone));
        written.back().duration = absl::Minutes(static_cast<int64_t>(1 + random() % 180));
      } else {
        const auto clock = [&] {
          return absl::StrCat(absl::Dec(random() % 24, absl::kZeroPad2), ":",
                              absl::Dec(random() % 60, absl::kZeroPad2));
        };
        const std::string begin = clock();
        std::string end = clock();
        while (end == begin) {
          end = clock();
        }
        written.push_back(Days(absl::StrCat("w", i),
                               {kAllDays[random() % 7], Weekday::kSun, Weekday::kSat},
                               absl::StrCat(begin, "-", end), zone));
        if (written.back().days[0] == Weekday::kSat || written.back().days[0] == Weekday::kSun) {
          written.back().days = kAllDays;
        }
      }
    }
    const Windows windows = Compiled(written);
    absl::Time at = At(starts[random() % 5]);
    const absl::Time end = at + absl::Hours(72);
    while (at < end) {
      const OpenWindow open = OpenAt(windows, at);
      REQUIRE(open.until.has_value());
      REQUIRE(*open.until > at);
      CAPTURE(run, absl::FormatTime(at), absl::FormatTime(*open.until));
      const absl::Time until = std::min(*open.until, end);
      for (absl::Time between = at; between < until; between += absl::Minutes(13)) {
        const OpenWindow look = OpenAt(windows, between);
        REQUIRE(look.index == open.index);
        REQUIRE(look.until == open.until);
      }
      REQUIRE(OpenAt(windows, *open.until - absl::Nanoseconds(1)).index == open.index);
      REQUIRE(OpenAt(windows, *open.until).index != open.index);
      at = *open.until;
    }
  }
}

TEST_CASE("quota windows: days and hours are what the local clock shows", "[quota][windows]") {
  std::mt19937 random(7);
  for (const char* name : {"America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"}) {
    absl::TimeZone zone;
    REQUIRE(absl::LoadTimeZone(name, &zone));
    const Windows windows =
        Compiled({Days("w", {Weekday::kTue, Weekday::kSat}, "21:20-03:40", name)});
    for (int i = 0; i < 2000; ++i) {
      // June and July: no clock changes in these zones.
      const absl::Time at = At("2026-06-01T00:00:00Z") + absl::Seconds(random() % (50 * 86400));
      const absl::CivilSecond local = absl::ToCivilSecond(at, zone);
      const int minute = local.hour() * 60 + local.minute();
      const auto weekday = [](absl::CivilDay day) { return absl::GetWeekday(day); };
      const absl::CivilDay today(local);
      const auto listed = [&](absl::CivilDay day) {
        return weekday(day) == absl::Weekday::tuesday || weekday(day) == absl::Weekday::saturday;
      };
      const bool open =
          (listed(today) && minute >= 21 * 60 + 20) || (listed(today - 1) && minute < 3 * 60 + 40);
      REQUIRE(OpenAt(windows, at).index.has_value() == open);
    }
  }
}

TEST_CASE("quota windows: always open never changes for good", "[quota][windows]") {
  const Windows always = Compiled({Days("always", kAllDays, "00:00-24:00", "Europe/Berlin")});
  const OpenWindow open = OpenAt(always, At("2026-11-23T00:00:00Z"));
  CHECK(open.index == 0U);
  CHECK(*open.until > At("2027-06-01T00:00:00Z"));  // an instant to ask again
  api::QuotaTimeWindow minutes = Ticks("minutes", "* * * * *");
  CHECK(*OpenAt(Compiled({minutes}), At("2026-11-23T00:00:00Z")).until >
        At("2026-12-01T00:00:00Z"));
}

TEST_CASE("quota windows: limits are multiplied exactly and rounded down", "[quota][windows]") {
  const auto scaled = [](const char* limit, const char* multiplier, bool is_count) {
    return Scaled(*Quantity::Parse(limit), *Quantity::Parse(multiplier), is_count).ToString();
  };
  CHECK(scaled("50", "1.5", true) == "75");
  CHECK(scaled("5", "0.5", true) == "2");
  CHECK(scaled("3", "0.333333333", true) == "0");
  CHECK(scaled("20", "0.1", false) == "2");
  CHECK(scaled("5", "0.5", false) == "2500m");
  CHECK(scaled("1500m", "1.5", false) == "2250m");
  CHECK(scaled("40Gi", "2", false) == "80Gi");
  CHECK(scaled("1", "0", false) == "0");
  CHECK(Scaled(kMaxAmount, *Quantity::Parse("1000"), false) == kMaxAmount);
  CHECK(Scaled(kMaxAmount, kMaxAmount, true).nanos() <= kMaxAmount.nanos());
}

TEST_CASE("quota windows: what cannot be understood is named and left out", "[quota][windows]") {
  std::vector<api::FieldError> problems;
  api::QuotaTimeWindow broken = Ticks("a", "61 * * * *");
  api::QuotaTimeWindow zone = Days("b", {Weekday::kMon}, "09:00-10:00", "Mars/Base");
  api::QuotaTimeWindow multiplier = Ticks("c", "0 9 * * *");
  multiplier.multiplier = {"-1"};
  api::QuotaTimeWindow empty = Ticks("e", "0 9 * * *");
  empty.duration = absl::ZeroDuration();
  const Windows windows =
      CompileWindows({broken, zone, multiplier, Ticks("d", "0 9 * * *"), empty}, problems);
  REQUIRE(windows.size() == 1);
  CHECK(windows[0].name == "d");
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].path == "spec.timeWindows[0]");
  CHECK(problems[2].path == "spec.timeWindows[2].multiplier");
  CHECK(problems[3].rule == "duration must be more than 0; the window is left out");
}

}  // namespace korder::quota
