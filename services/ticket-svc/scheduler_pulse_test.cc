#include "ticket-svc/scheduler_pulse.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/testing/fake_clock.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

constexpr char kScheduler[] = "default-scheduler";

api::Pod Waiting(const std::string& name) {
  api::Pod pod = MakeClaimPod(name);
  pod.spec.scheduler_name = kScheduler;
  pod.metadata.uid = name;
  return pod;
}

struct Ward {
  FakeClock clock;
  SchedulerPulse pulse{clock};
  api::Pod pod = Waiting("shop");

  void Bind(api::Pod which) {
    const api::Pod before = which;
    which.spec.node_name = "n1";
    pulse.OnPod(&before, &which);
  }
  bool Silent() const { return pulse.Silent(kScheduler); }
};

TEST_CASE("pulse: silent only when an answer is owed, and for some time", "[pulse]") {
  Ward w;
  CHECK_FALSE(w.Silent());
  w.clock.Advance(absl::Hours(1));
  CHECK_FALSE(w.Silent());
  w.pulse.Owes(kScheduler, "shop");
  CHECK_FALSE(w.Silent());
  w.clock.Advance(kSchedulerPatience);
  CHECK(w.Silent());
  CHECK_FALSE(w.pulse.Silent("another-scheduler"));
  CHECK(w.pulse.Revivals(kScheduler) == 0);

  SECTION("the answer comes") {
    w.Bind(w.pod);
    CHECK_FALSE(w.Silent());
    CHECK(w.pulse.Revivals(kScheduler) == 1);
    w.clock.Advance(absl::Hours(1));
    CHECK_FALSE(w.Silent());
  }
  SECTION("a refusal is an answer") {
    const api::Pod before = w.pod;
    w.pod.status.conditions = {{.type = "PodScheduled",
                                .status = "False",
                                .reason = std::string(api::kPodReasonUnschedulable)}};
    w.pulse.OnPod(&before, &w.pod);
    CHECK_FALSE(w.Silent());
    CHECK(w.pulse.Revivals(kScheduler) == 1);
  }
  SECTION("a refusal in other words is an answer, one in the same words is none") {
    const auto tell = [&](const char* before, const char* now) {
      const api::Pod was = Refused(Waiting("other"), before);
      api::Pod is = Refused(Waiting("other"), now);
      is.metadata.labels["a"] = "b";
      w.pulse.OnPod(&was, &is);
    };
    tell("0/3 nodes", "0/3 nodes");
    CHECK(w.Silent());
    tell("0/3 nodes", "0/4 nodes");
    CHECK_FALSE(w.Silent());
    CHECK(w.pulse.Revivals("another-scheduler") == 0);
  }
  SECTION("an answer to another pod long after shows that this one waits for something else") {
    w.clock.Advance(kSchedulerForgives);
    w.Bind(Waiting("other"));
    w.clock.Advance(absl::Hours(1));
    CHECK_FALSE(w.Silent());
  }
  SECTION("an answer to another pod soon after may be older than it looks") {
    w.Bind(Waiting("other"));
    CHECK_FALSE(w.Silent());
    w.clock.Advance(kSchedulerPatience);
    CHECK(w.Silent());
  }
  SECTION("whoever has just been answered himself has more patience") {
    CHECK_FALSE(w.pulse.Silent(kScheduler, kSchedulerLastPatience));
    w.clock.Advance(kSchedulerLastPatience - kSchedulerPatience);
    CHECK(w.pulse.Silent(kScheduler, kSchedulerLastPatience));
  }
  SECTION("what else happens to pods is no answer") {
    const api::Pod before = w.pod;
    w.pod.metadata.labels["a"] = "b";
    w.pulse.OnPod(&before, &w.pod);
    api::Pod bound = Waiting("other");
    bound.spec.node_name = "n1";
    w.pulse.OnPod(nullptr, &bound);
    CHECK(w.Silent());
    CHECK(w.pulse.Revivals(kScheduler) == 0);
  }
  SECTION("a pod that is gone is owed nothing") {
    w.pulse.OnPod(&w.pod, nullptr);
    CHECK_FALSE(w.Silent());
    CHECK(w.pulse.Revivals(kScheduler) == 0);
  }
  SECTION("nor one whose gate was not opened") {
    w.pulse.Forgive(kScheduler, "shop");
    CHECK_FALSE(w.Silent());
  }
}

TEST_CASE("pulse: a scheduler that answers somebody is patiently waited for", "[pulse]") {
  Ward w;
  w.pulse.Owes(kScheduler, "shop");
  for (int i = 0; i < 10; ++i) {
    w.clock.Advance(kSchedulerPatience - absl::Milliseconds(1));
    CHECK_FALSE(w.Silent());
    w.Bind(Waiting("other"));
    w.pulse.Owes(kScheduler, absl::StrCat("shop-", i));
  }
  CHECK(w.pulse.Revivals(kScheduler) == 0);
}

}  // namespace
}  // namespace korder::ticket
