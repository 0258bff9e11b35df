// When cron expressions fire around every change of clocks of 29 years in 32 zones, and through
// whole years, beside a program in Go that walks through every minute (reference/cron_oracle.go).
// Both sides read the time zone database of the system. KORDER_SEED=n chooses other random
// expressions.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/value/cron.h"
#include "ask_go.h"

namespace korder::api {
namespace {

// What is odd about them stands beside them.
constexpr const char* kZones[] = {
    "America/New_York",
    "America/St_Johns",   // changed at 00:01 until 2011
    "America/Havana",     // from 00:00 to 01:00, so midnight is in the gap
    "America/Santiago",   // 24:00, and many changes of rule
    "America/Asuncion",   // midnight; stopped in 2024
    "America/Sao_Paulo",  // midnight; stopped in 2019
    "America/Caracas",    // moved by half an hour, once
    "America/Nuuk",       // on the evening of a Saturday; another base offset since 2023
    "America/Los_Angeles",
    "Antarctica/Troll",   // by two hours
    "Antarctica/Casey",   // by three hours, several times
    "Africa/Casablanca",  // four times in a year with Ramadan
    "Africa/El_Aaiun",
    "Africa/Cairo",  // on and off again over the years
    "Africa/Juba",         "Asia/Amman",
    "Asia/Gaza",  // at odd hours, with Ramadan in future years
    "Asia/Hebron",         "Asia/Jerusalem",
    "Asia/Pyongyang",  // by half an hour, there and back
    "Asia/Tehran",     // midnight, by the Persian calendar; stopped in 2022
    "Atlantic/Azores",
    "Australia/Lord_Howe",  // by half an hour
    "Australia/Sydney",    "Europe/Berlin",
    "Europe/Dublin",  // winter is the saving time
    "Europe/Istanbul",     "Europe/London",
    "Pacific/Apia",  // 30 December 2011 never was
    "Pacific/Auckland",
    "Pacific/Chatham",  // 02:45
    "Pacific/Fiji",
};

constexpr const char* kExpressions[] = {
    "* * * * *",         "*/15 * * * *",      "0 * * * *",        "30 2 * * *",    "0 2 * * *",
    "30 1 * * *",        "45 1 * * *",        "15,45 0-3 * * *",  "0 0 * * *",     "59 23 * * *",
    "0 18-8 * * *",      "*/20 22-3/2 * * *", "50-10/5 * * * ?",  "0 0-23 L * *",  "30 * LW * *",
    "0 */2 15W,L-3 * ?", "5 2 ? * SUN#2",     "30 2 * * FRI-MON", "0 0 * 3,10 7L", "10 * 13 * FRI",
    "0 1 1-7 * SUN",     "0 3 */2 NOV-APR *", "@hourly",          "@daily",
};

// Few firings, so that years of them can be compared.
constexpr const char* kRareExpressions[] = {
    "0 2 * * *",       "30 1 * * *",         "@daily",        "0 18-8 * * *",
    "0 0 29 2 *",      "15,45 0-3 * * *",    "0 12 L * *",    "0 9 LW * *",
    "0 9 15W * *",     "0 9 1W * *",         "0 9 31W * *",   "0 0 * * MON#5",
    "0 0 * * 5L",      "0 2 13 * FRI",       "0 0 L-3 * SUN", "0 7 ? * 5-7",
    "0 2 * * FRI-MON", "0 0 30-2 NOV-FEB *",
};

// From before Samoa's lost day until what Go and we compute from the rules alone.
const absl::Time kFrom = absl::FromCivil(absl::CivilDay(2009, 1, 1), absl::UTCTimeZone());
const absl::Time kTo = absl::FromCivil(absl::CivilDay(2038, 1, 1), absl::UTCTimeZone());
constexpr absl::Duration kAround = absl::Hours(4);

std::mt19937& Random() {
  static std::mt19937 random = [] {
    const char* seed = std::getenv("KORDER_SEED");
    return std::mt19937(seed == nullptr ? 1 : static_cast<uint32_t>(std::atoi(seed)));
  }();
  return random;
}
int Below(int limit) { return static_cast<int>(Random()() % static_cast<uint32_t>(limit)); }

std::string RandomField(int low, int high) {
  const auto any = [&] { return low + Below(high - low + 1); };
  std::string field;
  for (int items = 1 + Below(2); items > 0; --items) {
    const std::string step = Below(3) == 0 ? absl::StrCat("/", 1 + Below(high - low)) : "";
    absl::StrAppend(&field, field.empty() ? "" : ",",
                    Below(2) == 0 ? absl::StrCat(any(), "-", any()) : absl::StrCat(any()), step);
  }
  return field;
}

// Of the whole language; often one that names the night.
std::string RandomExpression() {
  const auto of = [](std::initializer_list<std::string> choices) {
    return choices.begin()[Below(static_cast<int>(choices.size()))];
  };
  return absl::StrJoin(
      {of({"0", "30", "*/7", RandomField(0, 59), RandomField(0, 59)}),
       of({"*", "0-3", "2", RandomField(0, 23), RandomField(0, 23)}),
       of({"*", "*", "?", RandomField(1, 31), absl::StrCat(1 + Below(31), "W"), "L", "LW",
           absl::StrCat("L-", Below(31))}),
       of({"*", "*", RandomField(1, 12), "MAR-APR", "SEP-NOV"}),
       of({"*", "*", "?", RandomField(0, 7), "SAT-SUN", absl::StrCat(Below(8), "L"),
           absl::StrCat(Below(8), "#", 1 + Below(5))})},
      " ");
}

// A firing that does not lead on ends them; then they differ.
std::vector<int64_t> Forward(const Cron& cron, absl::Time from, absl::Time to) {
  std::vector<int64_t> times;
  absl::Time last = from - absl::Nanoseconds(1);
  for (auto at = cron.Next(last); at && *at > last && *at < to; at = cron.Next(last)) {
    times.push_back(absl::ToUnixSeconds(*at));
    last = *at;
  }
  return times;
}

std::vector<int64_t> Backward(const Cron& cron, absl::Time from, absl::Time to) {
  std::vector<int64_t> times;
  absl::Time last = to;
  for (auto at = cron.Previous(last - absl::Nanoseconds(1)); at && *at < last && *at >= from;
       at = cron.Previous(last - absl::Nanoseconds(1))) {
    times.push_back(absl::ToUnixSeconds(*at));
    last = *at;
  }
  std::reverse(times.begin(), times.end());
  return times;
}

// The firing after, and the one at or before, instants at which nothing needs to fire.
void CompareBetween(const Cron& cron, const Question& question, const std::vector<int64_t>& times,
                    Differences& differences) {
  for (int i = 0; i < 6; ++i) {
    const int64_t at = question.from + Below(static_cast<int>(question.to - question.from));
    const auto after = std::upper_bound(times.begin(), times.end(), at);
    if (after != times.end()) {
      differences.Compare(question, "next",
                          absl::ToUnixSeconds(*cron.Next(absl::FromUnixSeconds(at))), *after);
    }
    if (after != times.begin()) {
      differences.Compare(question, "previous",
                          absl::ToUnixSeconds(*cron.Previous(absl::FromUnixSeconds(at))),
                          *(after - 1));
    }
  }
}

// The number of firings that were compared.
size_t CompareFirings(const std::vector<Question>& questions) {
  const std::vector<Answer> answers = AskGo(questions);
  Differences differences;
  size_t firings = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    const Answer& go = answers[i];
    const auto cron = Cron::Parse(question.text, question.zone);
    if (!cron.ok()) {
      // Refused as what never fires: then it must not fire.
      differences.Compare(question, "refused", std::string(Message(cron.status())),
                          std::string("never fires: no such day exists"));
      differences.Compare(question, "times", {}, go.times);
      continue;
    }
    differences.Compare(question, "error", std::string(), go.error);
    const absl::Time from = absl::FromUnixSeconds(question.from);
    const absl::Time to = absl::FromUnixSeconds(question.to);
    differences.Compare(question, "forward", Forward(*cron, from, to), go.times);
    differences.Compare(question, "backward", Backward(*cron, from, to), go.times);
    CompareBetween(*cron, question, go.times, differences);
    firings += go.times.size();
  }
  return firings;
}

// Where absl sees the clocks change.
std::vector<int64_t> OurTransitions(const std::string& name) {
  const absl::TimeZone zone = FindTimeZone(name).value();
  std::vector<int64_t> times;
  absl::TimeZone::CivilTransition change;
  for (absl::Time at = kFrom; zone.NextTransition(at, &change);) {
    const absl::TimeZone::TimeInfo info = zone.At(change.to);
    at = info.kind == absl::TimeZone::TimeInfo::REPEATED ? info.trans : info.pre;
    if (at >= kTo) {
      break;
    }
    if (zone.At(at).offset != zone.At(at - absl::Seconds(1)).offset) {
      times.push_back(absl::ToUnixSeconds(at));
    }
  }
  return times;
}

TEST_CASE("differential: cron around every change of clocks", "[differential][cron]") {
  std::vector<Question> zones;
  for (const char* zone : kZones) {
    zones.push_back({.kind = "transitions",
                     .zone = zone,
                     .from = absl::ToUnixSeconds(kFrom),
                     .to = absl::ToUnixSeconds(kTo)});
  }
  const std::vector<Answer> changes = AskGo(zones);
  std::vector<Question> questions;
  size_t transitions = 0;
  const auto ask = [&](std::string text, std::string zone, int64_t transition) {
    const int64_t around = absl::ToInt64Seconds(kAround);
    questions.push_back({.kind = "firings",
                         .text = std::move(text),
                         .zone = std::move(zone),
                         .from = transition - around,
                         .to = transition + around});
  };
  {
    Differences differences;
    for (size_t i = 0; i < zones.size(); ++i) {
      const std::string& zone = zones[i].zone;
      INFO(zone << ": " << changes[i].error);
      REQUIRE_FALSE(changes[i].times.empty());
      differences.Compare(zones[i], "transitions", OurTransitions(zone), changes[i].times);
      transitions += changes[i].times.size();
      for (const int64_t transition : changes[i].times) {
        for (const char* expression : kExpressions) {
          ask(expression, zone, transition);
        }
        ask(absl::StrCat("TZ=", zone, " ", RandomExpression()), "", transition);
        for (int n = 0; n < 3; ++n) {
          ask(RandomExpression(), zone, transition);
        }
      }
    }
  }
  const size_t firings = CompareFirings(questions);
  std::cout << "cron around changes of clocks: " << zones.size() << " zones, " << transitions
            << " transitions, " << questions.size() << " schedules, " << firings
            << " firings compared forward and backward\n";
  CHECK(transitions > 1'000);
  CHECK(firings > 500'000);
}

TEST_CASE("differential: cron through whole years", "[differential][cron]") {
  struct Year {
    const char* zone;
    int year;
  };
  // Four of them have a leap day; in 2011 Samoa lost a day.
  constexpr Year kYears[] = {{"UTC", 2012},           {"America/New_York", 2024},
                             {"Europe/Dublin", 2016}, {"Australia/Lord_Howe", 2028},
                             {"Pacific/Apia", 2011},  {"Africa/Casablanca", 2025},
                             {"Asia/Gaza", 2030},     {"Antarctica/Troll", 2037}};
  std::vector<Question> questions;
  for (const Year& year : kYears) {
    const auto begin = [](int y) {
      return absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(y, 1, 1), absl::UTCTimeZone()));
    };
    std::vector<std::string> expressions(std::begin(kRareExpressions), std::end(kRareExpressions));
    std::generate_n(std::back_inserter(expressions), 6, RandomExpression);
    for (const std::string& expression : expressions) {
      questions.push_back({.kind = "firings",
                           .text = expression,
                           .zone = year.zone,
                           .from = begin(year.year),
                           .to = begin(year.year + 1)});
    }
  }
  const size_t firings = CompareFirings(questions);
  std::cout << "cron through whole years: " << std::size(kYears) << " zones, " << questions.size()
            << " schedules, " << firings << " firings compared forward and backward\n";
  CHECK(firings > 50'000);
}

}  // namespace
}  // namespace korder::api
