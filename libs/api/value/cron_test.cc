#include "api/value/cron.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

absl::Time At(const std::string& rfc3339) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error));
  return time;
}

std::string Local(absl::Time time, const std::string& zone) {
  return absl::FormatTime("%Y-%m-%dT%H:%M%Ez", time, FindTimeZone(zone).value());
}

// The `count` firings after `after`, in the zone's time; going back from the last one must give the
// same.
std::vector<std::string> Firings(std::string_view expression, const std::string& zone,
                                 const std::string& after, size_t count) {
  const Cron cron = Cron::Parse(expression, zone).value();
  std::vector<std::string> firings;
  absl::Time time = At(after);
  for (size_t i = 0; i < count; ++i) {
    const absl::Time next = cron.Next(time).value();
    CHECK(cron.Previous(next) == next);
    CHECK(cron.Previous(next - absl::Nanoseconds(1)) == cron.Previous(time));
    firings.push_back(Local(next, zone));
    time = next;
  }
  return firings;
}

using Texts = std::vector<std::string>;

TEST_CASE("cron: a local time in the gap of spring fires at the first instant after it", "[cron]") {
  CHECK(Firings("30 2 * * *", "America/New_York", "2030-03-09T00:00:00-05:00", 3) ==
        Texts{"2030-03-09T02:30-05:00", "2030-03-10T03:00-04:00", "2030-03-11T02:30-04:00"});
  CHECK(Firings("30 2 * * *", "Europe/Berlin", "2030-03-30T12:00:00+01:00", 2) ==
        Texts{"2030-03-31T03:00+02:00", "2030-04-01T02:30+02:00"});
  // Lord Howe moves by half an hour, from 02:00 to 02:30.
  CHECK(Firings("15 2 * * *", "Australia/Lord_Howe", "2030-10-05T12:00:00+10:30", 2) ==
        Texts{"2030-10-06T02:30+11:00", "2030-10-07T02:15+11:00"});
  // Samoa had no 30 December 2011.
  CHECK(Firings("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", 2) ==
        Texts{"2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"});
}

TEST_CASE("cron: a local time that occurs twice fires the first time only", "[cron]") {
  CHECK(Firings("30 1 * * *", "America/New_York", "2030-11-02T12:00:00-04:00", 2) ==
        Texts{"2030-11-03T01:30-04:00", "2030-11-04T01:30-05:00"});
  CHECK(Firings("30 2 * * *", "Europe/Berlin", "2030-10-26T12:00:00+02:00", 2) ==
        Texts{"2030-10-27T02:30+02:00", "2030-10-28T02:30+01:00"});
  CHECK(Firings("45 1 * * *", "Australia/Lord_Howe", "2030-04-06T12:00:00+11:00", 2) ==
        Texts{"2030-04-07T01:45+11:00", "2030-04-08T01:45+10:30"});
}

TEST_CASE("cron: hourly and shorter schedules follow the same rule on both nights", "[cron]") {
  CHECK(Firings("*/30 * * * *", "America/New_York", "2030-03-10T01:00:00-05:00", 3) ==
        Texts{"2030-03-10T01:30-05:00", "2030-03-10T03:00-04:00", "2030-03-10T03:30-04:00"});
  CHECK(Firings("*/30 * * * *", "America/New_York", "2030-11-03T00:30:00-04:00", 4) ==
        Texts{"2030-11-03T01:00-04:00", "2030-11-03T01:30-04:00", "2030-11-03T02:00-05:00",
              "2030-11-03T02:30-05:00"});
  CHECK(Firings("@hourly", "Australia/Lord_Howe", "2030-04-07T00:30:00+11:00", 3) ==
        Texts{"2030-04-07T01:00+11:00", "2030-04-07T02:00+10:30", "2030-04-07T03:00+10:30"});
}

TEST_CASE("cron: during the second pass of autumn the last firing is of the first", "[cron]") {
  const Cron cron = Cron::Parse("15,45 1 * * *", "America/New_York").value();
  const absl::Time second_half_past_one = At("2030-11-03T01:30:00-05:00");
  CHECK(cron.Previous(second_half_past_one) == At("2030-11-03T01:45:00-04:00"));
  CHECK(cron.Next(second_half_past_one) == At("2030-11-04T01:15:00-05:00"));
  const absl::Time second_pass = At("2030-11-03T01:00:00-05:00");
  CHECK(cron.Previous(second_pass) == At("2030-11-03T01:45:00-04:00"));
  CHECK(cron.Next(second_pass) == At("2030-11-04T01:15:00-05:00"));
}

TEST_CASE("cron: nights and weekends", "[cron]") {
  CHECK(Firings("0 18-8 * * *", "UTC", "2030-01-01T07:30:00Z", 3) ==
        Texts{"2030-01-01T08:00+00:00", "2030-01-01T18:00+00:00", "2030-01-01T19:00+00:00"});
  CHECK(Firings("0 9 * * MON-FRI", "Asia/Kolkata", "2030-01-04T09:00:00+05:30", 2) ==
        Texts{"2030-01-07T09:00+05:30", "2030-01-08T09:00+05:30"});
}

TEST_CASE("cron: next is strictly after, previous may be now", "[cron]") {
  const Cron cron = Cron::Parse("0 0 29 2 *").value();
  const absl::Time leap_day = At("2028-02-29T00:00:00Z");
  CHECK(cron.Next(leap_day) == At("2032-02-29T00:00:00Z"));
  CHECK(cron.Next(leap_day - absl::Nanoseconds(1)) == leap_day);
  CHECK(cron.Previous(leap_day) == leap_day);
  CHECK(cron.Previous(leap_day + absl::Nanoseconds(1)) == leap_day);
  CHECK(cron.Previous(leap_day - absl::Nanoseconds(1)) == At("2024-02-29T00:00:00Z"));
}

TEST_CASE("cron: the zone comes from the argument, the prefix, or is UTC", "[cron]") {
  CHECK(Cron::Parse("@daily")->zone().name() == "UTC");
  CHECK(Cron::Parse("@daily", "Europe/Berlin")->zone().name() == "Europe/Berlin");
  for (const char* expression :
       {"TZ=Asia/Tokyo @daily", "CRON_TZ=Asia/Tokyo 0 0 * * *", "  TZ=Asia/Tokyo\t0 0 * * *"}) {
    CAPTURE(expression);
    const Cron cron = Cron::Parse(expression).value();
    CHECK(cron.zone().name() == "Asia/Tokyo");
    CHECK(cron.Next(At("2030-01-01T00:00:00Z")) == At("2030-01-01T15:00:00Z"));
    CHECK(Cron::Parse(expression, "Asia/Tokyo").ok());
    CHECK(Message(Cron::Parse(expression, "UTC").status()) ==
          "the time zone \"Asia/Tokyo\" differs from the timeZone \"UTC\"");
  }
}

TEST_CASE("cron: an unknown zone is refused by name, and no path is opened", "[cron]") {
  CHECK(Message(Cron::Parse("@daily", "Mars/Olympus").status()) ==
        "unknown time zone \"Mars/Olympus\"");
  CHECK(Message(Cron::Parse("TZ=Mars @daily").status()) == "unknown time zone \"Mars\"");
  for (const char* name : {"", "localtime", "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC",
                           "file:UTC", "Europe", "Fixed/UTC+01:00:00", "UTC ", "utc\n"}) {
    CAPTURE(name);
    CHECK_FALSE(FindTimeZone(name).ok());
  }
  CHECK_FALSE(Cron::Parse("TZ= @daily").ok());
  CHECK_FALSE(Cron::Parse("TZ=UTC").ok());
  CHECK_FALSE(FindTimeZone(std::string(100, 'A')).ok());
  CHECK(FindTimeZone("Etc/GMT+5").ok());
}

TEST_CASE("cron: beyond the ends of time nothing fires", "[cron]") {
  const Cron cron = Cron::Parse("* * * * *", "America/New_York").value();
  CHECK_FALSE(cron.Next(absl::InfiniteFuture()).has_value());
  CHECK_FALSE(cron.Previous(absl::InfinitePast()).has_value());
  CHECK(cron.Next(absl::UnixEpoch() + absl::Hours(24 * 366) * 1'000'000).has_value());
}

// --- against a slow reference: fields as plain sets, time walked minute by minute ---

struct Field {
  std::string text;
  std::set<int> values;
};

Field RandomField(int min, int max, std::mt19937_64& random) {
  const int size = max - min + 1;
  const auto any = [&] { return min + static_cast<int>(random() % static_cast<uint64_t>(size)); };
  Field field;
  const auto add = [&](int first, int last, int step) {
    for (int value = first, left = (last - first + size) % size; left >= 0;
         value += step, left -= step) {
      field.values.insert(min + (value - min) % size);
    }
  };
  switch (random() % 4) {
    case 0:
      field.text = "*";
      add(min, max, 1);
      break;
    case 1: {
      const int first = any(), last = any(), step = 1 + static_cast<int>(random() % 3);
      field.text = std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(step);
      add(first, last, step);
      break;
    }
    case 2: {
      const int step = 2 + static_cast<int>(random() % 5);
      field.text = "*/" + std::to_string(step);
      add(min, max, step);
      break;
    }
    default: {
      const int one = any(), two = any();
      field.text = std::to_string(one) + "," + std::to_string(two);
      add(one, one, 1);
      add(two, two, 1);
    }
  }
  return field;
}

struct Reference {
  Field minute, hour, day, month, weekday;

  explicit Reference(std::mt19937_64& random)
      : minute(RandomField(0, 59, random)),
        hour(RandomField(0, 23, random)),
        day(RandomField(1, 31, random)),
        month(random() % 2 == 0 ? RandomField(1, 12, random) : Field{"*", {}}),
        weekday(RandomField(0, 6, random)) {}

  std::string Text() const {
    return minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
  }
  bool Matches(absl::CivilMinute at) const {
    const int sunday_is_0 = (static_cast<int>(absl::GetWeekday(absl::CivilDay(at))) + 1) % 7;
    const bool by_day = day.values.contains(at.day());
    const bool by_weekday = weekday.values.contains(sunday_is_0);
    const bool both = day.text == "*" || weekday.text == "*";
    return minute.values.contains(at.minute()) && hour.values.contains(at.hour()) &&
           (month.text == "*" || month.values.contains(at.month())) &&
           (both ? by_day && by_weekday : by_day || by_weekday);
  }
  // All firings in [from, to): at each real minute, whatever local minutes have newly come.
  std::vector<absl::Time> Firings(absl::Time from, absl::Time to, absl::TimeZone zone) const {
    std::vector<absl::Time> firings;
    absl::CivilMinute come = absl::ToCivilMinute(from - absl::Minutes(1), zone);
    for (absl::Time time = from; time < to; time += absl::Minutes(1)) {
      bool fires = false;
      while (come < absl::ToCivilMinute(time, zone)) {
        fires = Matches(++come) || fires;
      }
      if (fires) {
        firings.push_back(time);
      }
    }
    return firings;
  }
};

TEST_CASE("cron: agrees with a reference that walks through every minute", "[cron]") {
  struct Window {
    const char* zone;
    const char* from;
  };
  const Window windows[] = {
      {"America/New_York", "2030-03-08T12:00:00Z"},
      {"America/New_York", "2030-11-01T12:00:00Z"},
      {"Europe/Berlin", "2030-03-29T12:00:00Z"},
      {"Europe/Berlin", "2030-10-25T12:00:00Z"},
      {"Australia/Lord_Howe", "2030-04-05T12:00:00Z"},
      {"Australia/Lord_Howe", "2030-10-04T12:00:00Z"},
      {"Pacific/Apia", "2011-12-28T12:00:00Z"},
      {"UTC", "2028-02-27T12:00:00Z"},
  };
  std::mt19937_64 random(1);
  size_t compared = 0;
  for (int i = 0; i < 160; ++i) {
    const Window& window = windows[static_cast<size_t>(i) % std::size(windows)];
    const Reference reference(random);
    const std::string text = reference.Text();
    CAPTURE(window.zone, window.from, text);
    const absl::StatusOr<Cron> cron = Cron::Parse(text, window.zone);
    if (!cron.ok()) {
      CHECK(Message(cron.status()) == "never fires: no such day exists");
      continue;
    }
    const absl::Time from = At(window.from);
    const absl::Time to = from + absl::Hours(96);
    const auto want = reference.Firings(from, to, FindTimeZone(window.zone).value());
    compared += want.size();

    std::vector<absl::Time> forward;
    for (auto time = cron->Next(from - absl::Nanoseconds(1)); time < to; time = cron->Next(*time)) {
      forward.push_back(*time);
    }
    REQUIRE(forward == want);

    std::vector<absl::Time> backward;
    for (auto time = cron->Previous(to - absl::Nanoseconds(1)); time >= from;
         time = cron->Previous(*time - absl::Nanoseconds(1))) {
      backward.push_back(*time);
    }
    std::reverse(backward.begin(), backward.end());
    REQUIRE(backward == want);
  }
  CHECK(compared > 5'000);
}

TEST_CASE("cron: at any instant, previous and next enclose it with nothing between", "[cron]") {
  std::mt19937_64 random(2);
  for (const char* expression :
       {"* * * * *", "*/7 2-3 * * *", "0 0 29 2 *", "0 1 L * 5#5", "30 2 15W * *"}) {
    for (const char* zone : {"America/New_York", "Europe/London", "Australia/Lord_Howe"}) {
      const Cron cron = Cron::Parse(expression, zone).value();
      for (int i = 0; i < 300; ++i) {
        const absl::Time now =
            absl::FromUnixMillis(static_cast<int64_t>(random() % uint64_t{4'000'000'000'000}));
        CAPTURE(expression, zone, Local(now, zone));
        const absl::Time previous = cron.Previous(now).value();
        const absl::Time next = cron.Next(now).value();
        REQUIRE(previous <= now);
        REQUIRE(next > now);
        REQUIRE(cron.Next(previous) == next);
        REQUIRE(cron.Previous(next - absl::Nanoseconds(1)) == previous);
      }
    }
  }
}

}  // namespace
}  // namespace korder::api
