#include "ticket-svc/disturbance.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"

namespace korder::ticket {
namespace {

TEST_CASE("disturbance: failing requests and broken watches count, what is ordinary does not",
          "[disturbance]") {
  FakeClock clock;
  Disturbance disturbance(kube::NoObserver(), clock);
  CHECK(disturbance.Ago() == absl::InfiniteDuration());
  disturbance.Request("get", "pods", 200, absl::ZeroDuration());
  disturbance.Request("update", "tickets", 409, absl::ZeroDuration());
  disturbance.Request("create", "pods", 429, absl::ZeroDuration());
  disturbance.WatchRestart("pods", "closed");
  CHECK(disturbance.Count() == 0);
  CHECK(disturbance.Ago() == absl::InfiniteDuration());

  SECTION("no answer") { disturbance.Request("get", "pods", 0, absl::ZeroDuration()); }
  SECTION("a server error") { disturbance.Request("get", "pods", 503, absl::ZeroDuration()); }
  SECTION("a watch that broke") { disturbance.WatchRestart("pods", "error"); }
  SECTION("another scheduler") { disturbance.Note(); }
  CHECK(disturbance.Count() == 1);
  clock.Advance(absl::Seconds(7));
  CHECK(disturbance.Ago() == absl::Seconds(7));
}

}  // namespace
}  // namespace korder::ticket
