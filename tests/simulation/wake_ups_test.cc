// What is for one thread must not wake all those that wait beside it, and nobody may be forgotten.
// On the simulated machine each wake-up can be counted, and one that is lost shows: time passes
// there only when nobody can go on.
#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/pause.h"
#include "dice.h"
#include "kube/work_queue.h"
#include "machine.h"

namespace korder::simulation {
namespace {

struct Computer {
  explicit Computer(uint64_t seed = 1) : machine(seed) {}

  void RunAll() {
    while (machine.Turn()) {
    }
  }
  // Goes on until there is nothing to do before `span` has passed.
  void RunFor(absl::Duration span) {
    const MonoTime end = machine.Mono() + absl::ToChronoNanoseconds(span);
    machine.At(end, [] {});
    while (machine.NextTime() <= end && machine.Turn()) {
    }
  }
  void Start(std::function<void()> work) { machine.Start(process, std::move(work)); }
  // What is woken by it, until all rest again.
  uint64_t Wakes(const std::function<void()>& by) {
    const uint64_t before = machine.resumed();
    by();
    RunFor(absl::ZeroDuration());
    return machine.resumed() - before;
  }

  Machine machine;
  HostScope scope{machine};
  MachineClock clock{machine};
  Process process{.name = "p"};
};

// --- kube::WorkQueue ---

// How long items waited for somebody who would take them.
class Waits final : public kube::Observer {
 public:
  void QueueDepth(std::string_view, int) override {}
  void QueueAdd(std::string_view) override {}
  void QueueRetry(std::string_view) override {}
  void QueueWait(std::string_view, absl::Duration waited) override {
    ++taken;
    longest = std::max(longest, waited);
  }

  int taken = 0;
  absl::Duration longest;
};

// A queue and its workers, which have `effort` of work with each item.
struct Office : Computer {
  explicit Office(size_t workers, uint64_t seed = 1) : Computer(seed), stops(workers) {
    for (std::stop_source& stop : stops) {
      Start([this, token = stop.get_token()] {
        while (const std::optional<kube::ObjectKey> key = queue.Get(token)) {
          Pause(effort(), {});
          queue.Done(*key);
        }
      });
    }
    RunFor(absl::ZeroDuration());
  }
  ~Office() {
    for (std::stop_source& stop : stops) {
      stop.request_stop();
    }
    RunAll();
  }

  Waits waits;
  kube::WorkQueue queue{
      "q", clock, {.initial = absl::Milliseconds(5), .max = absl::Seconds(1)}, waits};
  std::function<absl::Duration()> effort = [] { return absl::ZeroDuration(); };
  std::vector<std::stop_source> stops;
};

kube::ObjectKey Key(uint64_t i) { return {"ns", std::to_string(i)}; }

TEST_CASE("wake-ups: an item for later wakes one idle worker, who watches the clock",
          "[simulation][wake_ups]") {
  Office office(16);
  for (uint64_t i = 0; i < 100; ++i) {
    const absl::Duration sooner = absl::Hours(1) - absl::Seconds(i);
    CHECK(office.Wakes([&] { office.queue.AddAfter(Key(i), sooner); }) == 1);
    CHECK(office.Wakes([&] { office.queue.AddAfter(Key(i), absl::Hours(2)); }) == 0);
  }
}

TEST_CASE("wake-ups: an item wakes one idle worker, the one at the clock last",
          "[simulation][wake_ups]") {
  Office office(3);
  office.effort = [] { return absl::Seconds(1); };
  office.queue.AddAfter(Key(9), absl::Milliseconds(500));
  office.RunFor(absl::ZeroDuration());
  for (uint64_t i = 0; i < 3; ++i) {
    CHECK(office.Wakes([&] { office.queue.Add(Key(i)); }) == 1);
    CHECK(office.waits.taken == static_cast<int>(i) + 1);
  }
  CHECK(office.Wakes([&] { office.queue.Add(Key(3)); }) == 0);
  CHECK(office.waits.longest == absl::ZeroDuration());
  office.RunFor(absl::Seconds(1));
  CHECK(office.waits.taken == 5);
  CHECK(office.waits.longest == absl::Seconds(1));
}

TEST_CASE("wake-ups: of many items that are due together each wakes one idle worker",
          "[simulation][wake_ups]") {
  Office office(16);
  office.effort = [] { return absl::Seconds(1); };
  for (uint64_t i = 0; i < 5; ++i) {
    office.queue.AddAfter(Key(i), absl::Seconds(1));
  }
  office.RunFor(absl::Milliseconds(999));
  // Five take an item, and one is at the clock after them.
  CHECK(office.Wakes([&] { office.RunFor(absl::Milliseconds(1)); }) == 6);
  CHECK(office.waits.taken == 5);
  CHECK(office.Wakes([&] { office.queue.AddAfter(Key(9), absl::Milliseconds(500)); }) == 1);
  office.RunFor(absl::Milliseconds(500));
  CHECK(office.waits.taken == 6);
  CHECK(office.waits.longest == absl::ZeroDuration());
}

TEST_CASE("wake-ups: whatever happens, an item that is due is taken at once when a worker is idle",
          "[simulation][wake_ups]") {
  constexpr uint64_t kItems = 4;
  int taken = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    // More workers than items, even when three have stopped.
    Office office(kItems + 4, seed);
    Dice dice(seed, "test");
    office.effort = [&] { return absl::Milliseconds(dice.Below(5)); };
    for (int step = 0; step < 100; ++step) {
      const kube::ObjectKey key = Key(dice.Below(kItems));
      switch (dice.Below(6)) {
        case 0:
        case 1:
          office.queue.Add(key);
          break;
        case 2:
          office.queue.AddAfter(key, absl::Milliseconds(dice.Below(5)));
          break;
        case 3:
          office.queue.AddRateLimited(key);
          break;
        case 4:
          office.queue.RetryFailed();
          break;
        default:
          if (dice.Below(10) == 0) {
            office.stops[dice.Below(3)].request_stop();
          }
      }
      if (dice.Below(3) > 0) {
        office.RunFor(absl::Milliseconds(dice.Below(4)));
      }
    }
    office.RunFor(absl::Seconds(2));
    CHECK(office.waits.longest == absl::ZeroDuration());
    CHECK(office.queue.size() == 0);
    CHECK(office.queue.NextDeadline() == std::nullopt);
    taken += office.waits.taken;
  }
  CHECK(taken > 300 * 20);
}

}  // namespace
}  // namespace korder::simulation
