#include "ticket-svc/guardian_traffic.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

OwnPod Seeking(int32_t priority, const std::set<std::string>& avoid = {}) {
  api::Pod guardian = MakeGuardian(MakeTicket("web-9"), 1, avoid);
  guardian.spec.priority = priority;
  return Reduced(std::move(guardian));
}

TEST_CASE("guardian traffic: which guardians might take a room that passes on", "[traffic]") {
  api::Pod pod = MakeClaimPod("shop");
  pod.spec.priority = 5;
  const api::Node node = MakeNode("n1");
  CHECK(MightTake(Seeking(6), pod, node));
  CHECK_FALSE(MightTake(Seeking(5), pod, node));  // It heeds the nomination.
  CHECK_FALSE(MightTake(Seeking(6, {"n0", "n1"}), pod, node));
  CHECK(MightTake(Seeking(6, {"n0", "n2"}), pod, node));
  api::Ticket pinned = MakeTicket("web-9");
  pinned.spec.node_name = "n2";
  api::Pod guardian = MakeGuardian(pinned, 1);
  guardian.spec.priority = 6;
  CHECK_FALSE(MightTake(Reduced(guardian), pod, node));
}

TEST_CASE("guardian traffic: what was being made at a moment is waited for, nothing later",
          "[traffic]") {
  FakeClock clock;
  GuardianTraffic traffic(clock);
  CHECK(traffic.AllMadeBefore(traffic.Moment()));
  auto first = std::make_unique<GuardianTraffic::Making>(traffic);
  const uint64_t moment = traffic.Moment();
  auto second = std::make_unique<GuardianTraffic::Making>(traffic);
  CHECK_FALSE(traffic.AllMadeBefore(moment));
  first.reset();
  CHECK(traffic.AllMadeBefore(moment));
  CHECK_FALSE(traffic.AllMadeBefore(traffic.Moment()));
  second.reset();
  CHECK(traffic.AllMadeBefore(traffic.Moment()));
}

TEST_CASE("guardian traffic: a line whose guardians step aside waits longer, up to half a minute",
          "[traffic]") {
  FakeClock clock;
  GuardianTraffic traffic(clock);
  CHECK(traffic.HoldBack("a") == absl::ZeroDuration());
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    traffic.SteppedAside("a");
    traffic.SteppedAside("a");  // A sibling, at the same time.
    CHECK(traffic.HoldBack("a") == absl::Seconds(seconds));
    clock.Advance(absl::Seconds(seconds));
    CHECK(traffic.HoldBack("a") == absl::ZeroDuration());
  }
  CHECK(traffic.HoldBack("b") == absl::ZeroDuration());
  traffic.FoundRoom("a");
  traffic.SteppedAside("a");
  CHECK(traffic.HoldBack("a") == absl::Seconds(1));
}

TEST_CASE("guardian traffic: of a line, one at a time looks for room", "[traffic]") {
  FakeClock clock;
  GuardianTraffic traffic(clock);
  CHECK(traffic.TakeTurn("a"));
  CHECK(traffic.TakeTurn("a"));  // Nobody had to step aside.
  traffic.SteppedAside("a");
  CHECK_FALSE(traffic.TakeTurn("a"));
  clock.Advance(absl::Seconds(1));
  CHECK(traffic.TakeTurn("a"));
  CHECK_FALSE(traffic.TakeTurn("a"));
  traffic.FoundRoom("a");
  CHECK(traffic.TakeTurn("a"));
  CHECK(traffic.TakeTurn("a"));
}

TEST_CASE("guardian traffic: a guardian is cleared by one", "[traffic]") {
  FakeClock clock;
  GuardianTraffic traffic(clock);
  CHECK(traffic.BeginClearing("g"));
  CHECK_FALSE(traffic.BeginClearing("g"));
  traffic.Cleared("g");
  CHECK(traffic.BeginClearing("g"));
}

}  // namespace
}  // namespace korder::ticket
