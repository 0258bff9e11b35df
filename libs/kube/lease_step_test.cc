#include "kube/lease_step.h"

#include <ostream>

#include <catch2/catch.hpp>

namespace korder::kube {

std::ostream& operator<<(std::ostream& out, LeaseAction action) {
  constexpr std::string_view kNames[] = {"create", "take", "renew", "wait", "step down"};
  return out << kNames[static_cast<size_t>(action)];
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime kStart = MonoTime() + std::chrono::hours(1);
const absl::Time kWall = absl::FromUnixSeconds(1'800'000'000);
const LeaseTiming kTiming{absl::Seconds(6), absl::Seconds(4), absl::Seconds(1), absl::Seconds(1)};

api::Lease HeldBy(std::string holder, int transitions = 3, std::string version = "10") {
  api::Lease lease;
  lease.metadata.name = "korder-order-svc";
  lease.metadata.uid = "u-1";
  lease.metadata.resource_version = std::move(version);
  lease.spec.holder_identity = std::move(holder);
  lease.spec.lease_duration_seconds = 6;
  lease.spec.lease_transitions = transitions;
  return lease;
}

// We are "a" and saw `lease` at kStart.
LeaseView Seen(std::optional<api::Lease> lease) {
  LeaseView view{.identity = "a"};
  SeeLease(view, std::move(lease), kStart);
  return view;
}

LeaseView Leading() {
  LeaseView view = Seen(HeldBy("a"));
  view.renewed_at = kStart;
  return view;
}

LeaseView Deleted(std::string holder) {
  LeaseView view = Seen(HeldBy(std::move(holder)));
  SeeLease(view, std::nullopt, kStart + seconds(1));
  return view;
}

// We are "b_here"; "a_here" ran where we run.
LeaseView SeenFromHere(std::optional<api::Lease> lease, std::string place = "here") {
  LeaseView view{.identity = IdentityIn(place, "b"), .place = place};
  SeeLease(view, std::move(lease), kStart);
  return view;
}

LeaseView With(LeaseView view, const std::function<void(LeaseView&)>& change) {
  change(view);
  return view;
}

TEST_CASE("lease step: what to do about the lease", "[lease]") {
  struct Case {
    std::string name;
    LeaseView view;
    std::chrono::nanoseconds after;  // since kStart
    LeaseAction want;
  };
  const std::vector<Case> cases = {
      {"there never was a lease", Seen(std::nullopt), seconds(0), LeaseAction::kCreate},
      {"released: free at once", Seen(HeldBy("")), seconds(0), LeaseAction::kTake},
      {"held by another", Seen(HeldBy("b")), seconds(0), LeaseAction::kWait},
      {"unchanged for almost the term", Seen(HeldBy("b")), seconds(6) - milliseconds(1),
       LeaseAction::kWait},
      {"unchanged for the term", Seen(HeldBy("b")), seconds(6), LeaseAction::kTake},
      {"changed meanwhile: waits from then on",
       With(Seen(HeldBy("b")),
            [](LeaseView& v) { SeeLease(v, HeldBy("b", 3, "11"), kStart + seconds(5)); }),
       seconds(10), LeaseAction::kWait},
      {"seen again unchanged: waits no longer",
       With(Seen(HeldBy("b")), [](LeaseView& v) { SeeLease(v, HeldBy("b"), kStart + seconds(5)); }),
       seconds(6), LeaseAction::kTake},
      {"the holder promised a longer term than ours",
       With(Seen(HeldBy("b")), [](LeaseView& v) { v.lease->spec.lease_duration_seconds = 15; }),
       seconds(14), LeaseAction::kWait},
      {"the holder promised no term: ours counts",
       With(Seen(HeldBy("b")), [](LeaseView& v) { v.lease->spec.lease_duration_seconds.reset(); }),
       seconds(6), LeaseAction::kTake},
      {"our name but not our write: another process shares our identity", Seen(HeldBy("a")),
       seconds(5), LeaseAction::kWait},
      {"ours", Leading(), seconds(1), LeaseAction::kRenew},
      {"ours, almost too late", Leading(), seconds(4) - milliseconds(1), LeaseAction::kRenew},
      {"ours, not renewed in time", Leading(), seconds(4), LeaseAction::kStepDown},
      {"taken by another while we led",
       With(Leading(), [](LeaseView& v) { SeeLease(v, HeldBy("b", 4, "11"), kStart); }), seconds(1),
       LeaseAction::kStepDown},
      {"deleted while we led",
       With(Leading(), [](LeaseView& v) { SeeLease(v, std::nullopt, kStart); }), seconds(1),
       LeaseAction::kStepDown},
      {"deleted under its holder: who may not know yet", Deleted("b"), seconds(6),
       LeaseAction::kWait},
      {"deleted under its holder, a term ago", Deleted("b"), seconds(7), LeaseAction::kCreate},
      {"deleted after it was released", Deleted(""), seconds(1), LeaseAction::kCreate},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(StepLease(c.view, kTiming, kStart + c.after, kWall).action == c.want);
    }
  }
}

TEST_CASE("lease step: taking begins a new term, on the version that was seen", "[lease]") {
  const LeaseStepResult step =
      StepLease(Seen(HeldBy("b", 3, "10")), kTiming, kStart + seconds(6), kWall);
  api::Lease want = HeldBy("a", 4, "10");
  want.spec.acquire_time = api::MicroTime{kWall};
  want.spec.renew_time = api::MicroTime{kWall};
  CHECK(step == LeaseStepResult{LeaseAction::kTake, want});
}

TEST_CASE("lease step: renewing keeps the term", "[lease]") {
  LeaseView view = Leading();
  view.lease->spec.acquire_time = api::MicroTime{kWall - absl::Hours(1)};
  api::Lease want = *view.lease;
  want.spec.renew_time = api::MicroTime{kWall};
  CHECK(StepLease(view, kTiming, kStart + seconds(1), kWall) ==
        LeaseStepResult{LeaseAction::kRenew, want});
}

TEST_CASE("lease step: a lease that was deleted goes on with its epoch and nothing else",
          "[lease]") {
  const LeaseStepResult step = StepLease(Deleted("b"), kTiming, kStart + seconds(7), kWall);
  CHECK(step.write.metadata == api::ObjectMeta());
  CHECK(step.write.spec.lease_transitions == 4);
}

TEST_CASE("lease step: a term of fractions of a second is promised in whole ones", "[lease]") {
  const LeaseTiming timing{absl::Milliseconds(1200), absl::Seconds(1), absl::Milliseconds(100),
                           absl::ZeroDuration()};
  CHECK(StepLease(Seen(std::nullopt), timing, kStart, kWall).write.spec.lease_duration_seconds ==
        2);
}

TEST_CASE("lease step: a write whose answer was lost counts once it is seen, from when it began",
          "[lease]") {
  LeaseView view = Seen(HeldBy("b"));
  const MonoTime began = kStart + seconds(6);
  api::Lease written = StepLease(view, kTiming, began, kWall).write;
  view.unresolved = LeaseAttempt{written.spec, began};
  SECTION("it happened") {
    written.metadata.resource_version = "11";
    SeeLease(view, written, began + seconds(3));
    CHECK(view.renewed_at == began);
    CHECK(StepLease(view, kTiming, began + seconds(3), kWall).action == LeaseAction::kRenew);
    CHECK(StepLease(view, kTiming, began + seconds(4), kWall).action == LeaseAction::kStepDown);
  }
  SECTION("it did not") {
    SeeLease(view, HeldBy("b"), began + seconds(3));
    CHECK(view.renewed_at == std::nullopt);
    CHECK(StepLease(view, kTiming, began + seconds(3), kWall).action == LeaseAction::kTake);
  }
  SECTION("another was faster") {
    SeeLease(view, HeldBy("c", 4, "11"), began + seconds(3));
    CHECK(view.renewed_at == std::nullopt);
    CHECK(StepLease(view, kTiming, began + seconds(3), kWall).action == LeaseAction::kWait);
  }
  SECTION("another of the same name was faster") {
    SeeLease(view, HeldBy("a", 4, "11"), began + seconds(3));
    CHECK(view.renewed_at == std::nullopt);
    CHECK(StepLease(view, kTiming, began + seconds(3), kWall).action == LeaseAction::kWait);
  }
  CHECK_FALSE(view.unresolved);
}

TEST_CASE("lease step: who begins where the holder ran waits for its last requests only",
          "[lease]") {
  struct Case {
    std::string name;
    LeaseView view;
    std::chrono::nanoseconds after;  // since kStart
    LeaseAction want;
  };
  const auto then = [](std::optional<api::Lease> first, std::optional<api::Lease> second) {
    LeaseView view = SeenFromHere(std::move(first));
    SeeLease(view, std::move(second), kStart + milliseconds(400));
    return view;
  };
  const std::vector<Case> cases = {
      {"its requests may still be under way", SeenFromHere(HeldBy("a_here")),
       seconds(1) - milliseconds(1), LeaseAction::kWait},
      {"they are not", SeenFromHere(HeldBy("a_here")), seconds(1), LeaseAction::kTake},
      {"the last of them was a renewal: waits from then on",
       then(HeldBy("a_here"), HeldBy("a_here", 3, "11")), seconds(1), LeaseAction::kWait},
      {"a second after that", then(HeldBy("a_here"), HeldBy("a_here", 3, "11")), milliseconds(1400),
       LeaseAction::kTake},
      {"the Lease of the predecessor was deleted", then(HeldBy("a_here"), std::nullopt),
       milliseconds(1400), LeaseAction::kCreate},
      {"it had ended in good order", SeenFromHere(HeldBy("")), seconds(0), LeaseAction::kTake},
      {"a holder from elsewhere is waited for", SeenFromHere(HeldBy("a_far")),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"a place whose name only ends as ours", SeenFromHere(HeldBy("a_there")),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"a place as whose name ours only ends", SeenFromHere(HeldBy("a_ere")),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"a process that is called as our place", SeenFromHere(HeldBy("here")),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"our own name: another process shares our identity", SeenFromHere(HeldBy("b_here")),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"without a place nobody is a predecessor", SeenFromHere(HeldBy("a_"), ""),
       seconds(6) - milliseconds(1), LeaseAction::kWait},
      {"one of our place that began after us runs beside us",
       then(HeldBy("a_far"), HeldBy("a_here", 4, "11")), seconds(6), LeaseAction::kWait},
      {"one of our place that made the Lease after we had looked",
       then(std::nullopt, HeldBy("a_here")), seconds(6), LeaseAction::kWait},
      {"one of our place that followed our predecessor",
       then(HeldBy("a_here"), HeldBy("c_here", 4, "11")), seconds(6), LeaseAction::kWait},
      {"one of our place took it while we led",
       With(then(HeldBy("a_here"), HeldBy("c_here", 5, "11")),
            [](LeaseView& v) { v.renewed_at = kStart; }),
       seconds(1), LeaseAction::kStepDown},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(StepLease(c.view, kTiming, kStart + c.after, kWall).action == c.want);
    }
  }
}

TEST_CASE("lease step: taking over from a predecessor begins a new term, in our own name",
          "[lease]") {
  const LeaseStepResult step =
      StepLease(SeenFromHere(HeldBy("a_here", 3, "10")), kTiming, kStart + seconds(1), kWall);
  api::Lease want = HeldBy("b_here", 4, "10");
  want.spec.acquire_time = api::MicroTime{kWall};
  want.spec.renew_time = api::MicroTime{kWall};
  CHECK(step == LeaseStepResult{LeaseAction::kTake, want});
}

TEST_CASE("lease step: one leads from the write until the renew deadline", "[lease]") {
  CHECK(Leads(Leading(), kTiming, kStart));
  CHECK(Leads(Leading(), kTiming, kStart + seconds(4) - milliseconds(1)));
  CHECK_FALSE(Leads(Leading(), kTiming, kStart + seconds(4)));
  CHECK_FALSE(Leads(Seen(HeldBy("a")), kTiming, kStart));
  CHECK_FALSE(Leads(Deleted("a"), kTiming, kStart));
}

TEST_CASE("lease step: the next step is a retry away, or when the term or the wait ends",
          "[lease]") {
  CHECK(NextLeaseStep(Seen(std::nullopt), kTiming, kStart) == kStart + seconds(1));
  CHECK(NextLeaseStep(Seen(HeldBy("b")), kTiming, kStart) == kStart + seconds(1));
  CHECK(NextLeaseStep(Seen(HeldBy("b")), kTiming, kStart + milliseconds(5700)) ==
        kStart + seconds(6));
  CHECK(NextLeaseStep(Seen(HeldBy("b")), kTiming, kStart + seconds(6)) == kStart + seconds(7));
  CHECK(NextLeaseStep(SeenFromHere(HeldBy("a_here")), kTiming, kStart + milliseconds(300)) ==
        kStart + seconds(1));
  CHECK(NextLeaseStep(SeenFromHere(HeldBy("a_here")), kTiming, kStart + seconds(1)) ==
        kStart + seconds(2));
  CHECK(NextLeaseStep(Leading(), kTiming, kStart) == kStart + seconds(1));
  CHECK(NextLeaseStep(Leading(), kTiming, kStart + milliseconds(3500)) == kStart + seconds(4));
}

}  // namespace
}  // namespace korder::kube
