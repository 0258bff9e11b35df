#include "cli/quota_commands.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

TEST_CASE("check --at: a moment is a time, or so much from now", "[commands]") {
  CHECK(*ParseMoment("2026-05-04T18:00:00Z", kNow) == kNow + absl::Hours(3) + absl::Minutes(12));
  CHECK(*ParseMoment("2026-05-04T20:00:00+02:00", kNow) ==
        kNow + absl::Hours(3) + absl::Minutes(12));
  CHECK(*ParseMoment("+1h30m", kNow) == kNow + absl::Minutes(90));
  CHECK(*ParseMoment("+7d", kNow) == kNow + absl::Hours(7 * 24));
  CHECK(*ParseMoment("2026-05-05", kNow) ==
        kNow + absl::Hours(9) + absl::Minutes(12));  // its beginning in UTC
  for (const char* bad : {"", "tomorrow", "18:00", "+", "+2", "1h", "+d", "+-1d", "2026-13-04"}) {
    const absl::Status status = ParseMoment(bad, kNow).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK_THAT(std::string(Message(status)), Catch::StartsWith("--at: "));
  }
  CHECK_THAT(std::string(Message(ParseMoment("x", kNow, "--to").status())),
             Catch::StartsWith("--to: "));
}

}  // namespace
}  // namespace korder::cli
