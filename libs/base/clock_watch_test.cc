#include "base/clock_watch.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"

namespace korder {
namespace {

TEST_CASE("clock watch: a step of the wall clock is noticed, time going on is not", "[clock]") {
  FakeClock clock;
  ClockWatch watch(clock.Now(), clock.Mono());
  clock.Advance(absl::Hours(3));
  CHECK_FALSE(watch.Stepped(clock.Now(), clock.Mono()));
  clock.StepWall(absl::Hours(1));
  CHECK(watch.Stepped(clock.Now(), clock.Mono()));
  clock.Advance(absl::Seconds(1));
  CHECK_FALSE(watch.Stepped(clock.Now(), clock.Mono()));
  clock.StepWall(-absl::Hours(1));
  CHECK(watch.Stepped(clock.Now(), clock.Mono()));
}

}  // namespace
}  // namespace korder
