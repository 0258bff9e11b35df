#include "api/value/duration.h"

#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "json/fields.h"

namespace korder::api {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();

TEST_CASE("duration: texts mean what they mean in Go", "[duration]") {
  struct Case {
    const char* text;
    absl::Duration want;
  };
  const Case cases[] = {
      {"0", absl::ZeroDuration()},
      {"-0", absl::ZeroDuration()},
      {"0s", absl::ZeroDuration()},
      {"24h", absl::Hours(24)},
      {"1h30m", absl::Minutes(90)},
      {"1.5h", absl::Minutes(90)},
      {"+5s", absl::Seconds(5)},
      {"3600s", absl::Hours(1)},
      {"-1.5ms", absl::Microseconds(-1500)},
      {".5s", absl::Milliseconds(500)},
      {"1.s", absl::Seconds(1)},
      {"1us", absl::Microseconds(1)},
      {"1\u00b5s", absl::Microseconds(1)},
      {"1\u03bcs", absl::Microseconds(1)},
      {"1m1m", absl::Minutes(2)},
      {"1ns1h", absl::Hours(1) + absl::Nanoseconds(1)},
      {"0.3333333333333333333h", absl::Minutes(20)},  // With Go's rounding, not a nano less.
      {"0.622724150m", absl::Microseconds(37'363'449)},
      {"0.100000000000000000000h", absl::Minutes(6)},
      {"9007199254.740993s", absl::Nanoseconds(9007199254740993000)},
      {"9223372036854775807ns", absl::Nanoseconds(kMaxInt)},
      {"9223372036s854ms775us807ns", absl::Nanoseconds(kMaxInt)},
      {"-9223372036854775808ns", absl::Nanoseconds(kMinInt)},
      {"-2562047h47m16.854775808s", absl::Nanoseconds(kMinInt)},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK(ParseDuration(c.text).value() == c.want); }
  }
}

TEST_CASE("duration: what Go refuses is refused with the rule", "[duration]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", "must be a duration such as 24h, 90m or 1h30m"},
      {"+", "must be a duration such as 24h, 90m or 1h30m"},
      {"h", "must be a duration such as 24h, 90m or 1h30m"},
      {".s", "must be a duration such as 24h, 90m or 1h30m"},
      {"--1h", "must be a duration such as 24h, 90m or 1h30m"},
      {" 1h", "must be a duration such as 24h, 90m or 1h30m"},
      {"1", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1h30", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1d", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1H", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1h ", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1h-1m", "must be a duration in the units h, m, s, ms, us and ns"},
      {"1e3s", "must be a duration in the units h, m, s, ms, us and ns"},
      {"3000000h", "must not be longer than 292 years"},
      {"9223372036854775808ns", "must not be longer than 292 years"},
      {"9223372036854775.808us", "must not be longer than 292 years"},
      {"-9223372036854775809ns", "must not be longer than 292 years"},
      {"-9223372036854775808ns1ns", "must not be longer than 292 years"},
      {"18446744073709551621ns", "must not be longer than 292 years"},  // 2^64 + 5
      {"99999999999999999999s", "must not be longer than 292 years"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK(Message(ParseDuration(c.text).status()) == c.want); }
  }
}

TEST_CASE("duration: printed as Go prints it", "[duration]") {
  CHECK(PrintDuration(absl::ZeroDuration()) == "0s");
  CHECK(PrintDuration(absl::Nanoseconds(-1)) == "-1ns");
  CHECK(PrintDuration(absl::Nanoseconds(1100)) == "1.1\u00b5s");
  CHECK(PrintDuration(absl::Microseconds(15)) == "15\u00b5s");
  CHECK(PrintDuration(absl::Microseconds(2200)) == "2.2ms");
  CHECK(PrintDuration(absl::Milliseconds(1500)) == "1.5s");
  CHECK(PrintDuration(absl::Seconds(60)) == "1m0s");
  CHECK(PrintDuration(absl::Minutes(90)) == "1h30m0s");
  CHECK(PrintDuration(absl::Hours(24)) == "24h0m0s");
  CHECK(PrintDuration(absl::Hours(1) + absl::Nanoseconds(1)) == "1h0m0.000000001s");
  CHECK(PrintDuration(absl::Nanoseconds(kMinInt)) == "-2562047h47m16.854775808s");
}

TEST_CASE("duration: what Go cannot hold prints as the longest it can", "[duration]") {
  CHECK(PrintDuration(absl::InfiniteDuration()) == "2562047h47m16.854775807s");
  CHECK(PrintDuration(-absl::InfiniteDuration()) == "-2562047h47m16.854775808s");
  CHECK(PrintDuration(absl::Nanoseconds(1) / 4) == "0s");
}

TEST_CASE("duration: printing and parsing again changes nothing", "[duration]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const absl::Duration duration =
        absl::Nanoseconds(static_cast<int64_t>(random()) >> (random() % 63));
    REQUIRE(ParseDuration(PrintDuration(duration)).value() == duration);
  }
}

TEST_CASE("duration: a string in JSON, with the path of an error", "[duration]") {
  absl::Duration duration;
  REQUIRE(json::Parse("\"90m\"", duration).ok());
  CHECK(json::Print(duration) == "\"1h30m0s\"");
  std::map<std::string, absl::Duration, std::less<>> map;
  CHECK(Message(json::Parse(R"({"a":"1d"})", map)) ==
        "a: \"1d\": must be a duration in the units h, m, s, ms, us and ns");
  CHECK(Message(json::Parse(R"({"a":3})", map)) == "a: expected a string, got a number");
}

}  // namespace
}  // namespace korder::api
