#include "api/value/duration.h"

#include <random>

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

TEST_CASE("duration: what Go accepts", "[duration]") {
  CHECK(ParseDuration("24h").value() == absl::Hours(24));
  CHECK(ParseDuration("1h30m").value() == absl::Minutes(90));
  CHECK(ParseDuration("1.5h").value() == absl::Minutes(90));
  CHECK(ParseDuration("3600s").value() == absl::Hours(1));
  CHECK(ParseDuration("-1.5ms").value() == absl::Microseconds(-1500));
  CHECK(ParseDuration("0").value() == absl::ZeroDuration());
  CHECK(ParseDuration(".5s").value() == absl::Milliseconds(500));
  CHECK(ParseDuration("1\u00b5s").value() == absl::Microseconds(1));
  CHECK(ParseDuration("9223372036854775807ns").value() == absl::Nanoseconds(INT64_MAX));
  CHECK(ParseDuration("-9223372036854775808ns").value() == absl::Nanoseconds(INT64_MIN));
}

TEST_CASE("duration: what Go refuses", "[duration]") {
  for (const char* text :
       {"", "3000000h", "1", "h", "1d", ".s", "1h ", "+", "1h-1m", "9223372036854775808ns"}) {
    INFO(text);
    CHECK_FALSE(ParseDuration(text).ok());
  }
}

TEST_CASE("duration: printed as Go prints it", "[duration]") {
  CHECK(FormatDuration(absl::Hours(24)) == "24h0m0s");
  CHECK(FormatDuration(absl::Minutes(90)) == "1h30m0s");
  CHECK(FormatDuration(absl::Milliseconds(1500)) == "1.5s");
  CHECK(FormatDuration(absl::Microseconds(15)) == "15\u00b5s");
  CHECK(FormatDuration(absl::ZeroDuration()) == "0s");
  CHECK(FormatDuration(absl::Nanoseconds(-1)) == "-1ns");
}

TEST_CASE("duration: printing and parsing again changes nothing", "[duration]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const absl::Duration duration =
        absl::Nanoseconds(static_cast<int64_t>(random()) >> (random() % 63));
    REQUIRE(ParseDuration(FormatDuration(duration)).value() == duration);
  }
}

}  // namespace
}  // namespace korder::api
