#include "ticket-svc/handoff_options.h"

#include <catch2/catch.hpp>

namespace korder::ticket {
namespace {

constexpr absl::Duration kNever = absl::InfiniteDuration();

TEST_CASE("handoff options: the server's minor version", "[handoff]") {
  CHECK(*ParseServerMinor(R"({"major":"1","minor":"35","gitVersion":"v1.35.4"})") == 35);
  CHECK(*ParseServerMinor(R"({"major":"1","minor":"29+"})") == 29);
  CHECK_FALSE(ParseServerMinor(R"({"major":"1"})").ok());
  CHECK_FALSE(ParseServerMinor("<html>").ok());
}

TEST_CASE("handoff options: when the scheduler is asked before a release, and what has to settle",
          "[handoff]") {
  struct Case {
    const char* name;
    int minor;
    FenceMode fence;
    HandoffMethodName method;
    absl::Duration disturbed_ago;
    bool want_fence;
    absl::Duration want_settle;
  };
  constexpr auto kNominate = HandoffMethodName::kNominate;
  constexpr auto kPreempt = HandoffMethodName::kPreempt;
  const absl::Duration none = absl::ZeroDuration();
  const absl::Duration half = absl::Milliseconds(500);
  const Case cases[] = {
      {"1.35 keeps the order", 35, FenceMode::kAuto, kNominate, kNever, false, none},
      {"but not while it may list anew", 35, FenceMode::kAuto, kNominate, absl::Seconds(59), true,
       none},
      {"which is over at some time", 35, FenceMode::kAuto, kNominate, absl::Seconds(60), false,
       none},
      {"1.34 does not", 34, FenceMode::kAuto, kNominate, kNever, true, half},
      {"always", 37, FenceMode::kAlways, kNominate, kNever, true, none},
      {"never", 34, FenceMode::kNever, kNominate, none, false, half},
      {"without nominations nothing can be late", 34, FenceMode::kAlways, kPreempt, none, false,
       none},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const HandoffOptions options = OptionsFor(c.minor, c.fence, c.method);
      CHECK(NeedsFence(options, c.disturbed_ago) == c.want_fence);
      CHECK(options.settle == c.want_settle);
    }
  }
}

}  // namespace
}  // namespace korder::ticket
