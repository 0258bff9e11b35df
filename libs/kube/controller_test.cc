#include "kube/controller.h"

#include <deque>
#include <functional>
#include <latch>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"

namespace korder::kube {
namespace {

const ObjectKey kA{"ns", "a"};

// Answers from a list, and notes which keys it was asked for.
class Scripted final : public Reconciler {
 public:
  using Step = std::function<absl::StatusOr<Result>()>;

  absl::StatusOr<Result> Reconcile(const ObjectKey& key, std::stop_token) override {
    keys.push_back(key);
    if (steps.empty()) {
      return Result::Done();
    }
    const Step step = std::move(steps.front());
    steps.pop_front();
    return step();
  }

  std::deque<Step> steps;
  std::vector<ObjectKey> keys;
};

class Notes final : public Observer {
 public:
  void Reconciled(std::string_view, std::string_view result, std::string_view error_type,
                  absl::Duration took) override {
    outcomes.push_back(std::string(result) +
                       (error_type.empty() ? "" : " " + std::string(error_type)));
    last_took = took;
  }
  std::vector<std::string> outcomes;
  absl::Duration last_took;
};

struct Rig {
  FakeClock clock;
  Scripted reconciler;
  Notes notes;
  Controller controller{
      "order",
      reconciler,
      clock,
      {.workers = 1, .backoff = {.initial = absl::Seconds(1), .factor = 2, .jitter = 0}},
      notes};

  // Handles kA, answering `answer`.
  void Turn(absl::StatusOr<Result> answer) {
    reconciler.steps.push_back([answer] { return answer; });
    controller.Enqueue(kA);
    REQUIRE(controller.ProcessDue({}));
  }
  // How long until kA is handled again; nullopt when it is not.
  std::optional<absl::Duration> Again() {
    const std::optional<MonoTime> next = controller.NextDeadline();
    return next ? std::optional(absl::FromChrono(*next - clock.Mono())) : std::nullopt;
  }
};

TEST_CASE("controller: each outcome has one consequence and one report", "[controller]") {
  struct Case {
    std::string name;
    absl::StatusOr<Result> answer;
    std::optional<absl::Duration> want_again;
    std::vector<std::string> want_outcomes;
  };
  const std::vector<Case> cases = {
      {"success waits for a change", Result::Done(), std::nullopt, {"success"}},
      {"a wish to come back is granted",
       Result::After(absl::Seconds(7)),
       absl::Seconds(7),
       {"requeue"}},
      {"an error backs off", UnavailableError("no"), absl::Seconds(1), {"error UNAVAILABLE"}},
      {"a conflict backs off", AbortedError("no"), absl::Seconds(1), {"error ABORTED"}},
      {"not found backs off", NotFoundError("no"), absl::Seconds(1), {"error NOT_FOUND"}},
      {"forbidden backs off",
       PermissionDeniedError("no"),
       absl::Seconds(1),
       {"error PERMISSION_DENIED"}},
      {"the server's delay is honoured",
       WithRetryAfter(ResourceExhaustedError("slow down"), absl::Seconds(42)),
       absl::Seconds(42),
       {"error RESOURCE_EXHAUSTED"}},
      {"bad input is not tried again",
       InvalidArgumentError("never"),
       std::nullopt,
       {"error INVALID_ARGUMENT"}},
      {"bad input is not tried again, whatever delay came with it",
       WithRetryAfter(InvalidArgumentError("never"), absl::Seconds(1)),
       std::nullopt,
       {"error INVALID_ARGUMENT"}},
      {"what was cancelled is quiet but not lost", CancelledError("stop"), absl::Seconds(1), {}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Rig rig;
      rig.Turn(c.answer);
      CHECK(rig.Again() == c.want_again);
      CHECK(rig.notes.outcomes == c.want_outcomes);
      CHECK_FALSE(rig.controller.ProcessDue({}));
    }
  }
}

TEST_CASE("controller: errors in a row wait longer; a success begins anew", "[controller]") {
  Rig rig;
  for (const int want : {1, 2, 4}) {
    rig.Turn(UnavailableError("no"));
    CHECK(rig.Again() == absl::Seconds(want));
    rig.clock.Advance(absl::Seconds(want));
  }
  rig.Turn(Result::After(absl::Minutes(5)));
  rig.clock.Advance(absl::Minutes(5));
  rig.Turn(UnavailableError("no"));
  CHECK(rig.Again() == absl::Seconds(1));
}

TEST_CASE("controller: bad input begins anew when the object changes", "[controller]") {
  Rig rig;
  rig.Turn(UnavailableError("no"));
  rig.clock.Advance(absl::Seconds(1));
  rig.Turn(InvalidArgumentError("never"));
  CHECK(rig.Again() == std::nullopt);
  rig.Turn(UnavailableError("no"));
  CHECK(rig.Again() == absl::Seconds(1));
}

TEST_CASE("controller: an exception is an error of the reconcile, not the end of the process",
          "[controller]") {
  Rig rig;
  rig.reconciler.steps.push_back([]() -> absl::StatusOr<Result> { throw std::out_of_range("at"); });
  rig.reconciler.steps.push_back([]() -> absl::StatusOr<Result> { throw 42; });
  rig.controller.Enqueue(kA);
  CHECK(rig.controller.ProcessDue({}));
  rig.clock.Advance(absl::Seconds(1));
  CHECK(rig.controller.ProcessDue({}));
  CHECK(rig.notes.outcomes == std::vector<std::string>{"error INTERNAL", "error INTERNAL"});
  CHECK(rig.Again() == absl::Seconds(2));
}

TEST_CASE("controller: reports how long a reconcile took", "[controller]") {
  Rig rig;
  rig.reconciler.steps.push_back([&] {
    rig.clock.Advance(absl::Milliseconds(250));
    return Result::Done();
  });
  rig.controller.Enqueue(kA);
  CHECK(rig.controller.ProcessDue({}));
  CHECK(rig.notes.last_took == absl::Milliseconds(250));
}

TEST_CASE("controller: a key that is enqueued during its reconcile is reconciled again",
          "[controller]") {
  Rig rig;
  rig.reconciler.steps.push_back([&] {
    rig.controller.Enqueue(kA);
    CHECK_FALSE(rig.controller.ProcessDue({}));  // as another worker: it is in our hands
    return Result::Done();
  });
  rig.controller.Enqueue(kA);
  CHECK(rig.controller.ProcessDue({}));
  CHECK(rig.controller.ProcessDue({}));
  CHECK_FALSE(rig.controller.ProcessDue({}));
  CHECK(rig.reconciler.keys.size() == 2);
}

// Ends only when it is told to stop, as a reconcile that waits for a server does.
class Waits final : public Reconciler {
 public:
  absl::StatusOr<Result> Reconcile(const ObjectKey&, std::stop_token stop) override {
    begun.count_down();
    Mutex mu;
    CondVar cv;
    const MutexLock lock(mu);
    cv.Wait(mu, stop, [] { return false; });
    ++ended;
    return CancelledError("stop");
  }
  std::latch begun{2};
  std::atomic<int> ended = 0;
};

TEST_CASE("controller: Run ends on stop, after its workers have", "[controller]") {
  SystemClock clock;
  Waits reconciler;
  Controller controller("order", reconciler, clock, {.workers = 3});
  controller.Enqueue(kA);
  controller.Enqueue({"ns", "b"});
  std::stop_source stop;
  std::jthread runner([&] { controller.Run(stop.get_token()); });
  reconciler.begun.wait();  // two at the same time
  stop.request_stop();
  runner.join();
  CHECK(reconciler.ended == 2);
}

TEST_CASE("controller: after Run has ended it can run again, and handles what was left",
          "[controller]") {
  Rig rig;
  rig.reconciler.steps.push_back([] { return CancelledError("the term is over"); });
  std::stop_source first;
  rig.controller.Enqueue(kA);
  CHECK(rig.controller.ProcessNext(first.get_token()));
  first.request_stop();
  rig.controller.Run(first.get_token());
  CHECK(rig.reconciler.keys.size() == 1);
  rig.clock.Advance(absl::Seconds(1));
  std::stop_source second;
  CHECK(rig.controller.ProcessNext(second.get_token()));
  CHECK(rig.reconciler.keys.size() == 2);
}

}  // namespace
}  // namespace korder::kube
