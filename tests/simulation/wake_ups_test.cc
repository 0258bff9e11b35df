// What is for one thread must not wake all those that wait beside it, and nobody may be forgotten.
// On the simulated machine each wake-up can be counted, and one that is lost shows: time passes
// there only when nobody can go on.
#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/pause.h"
#include "dice.h"
#include "kube/work_queue.h"
#include "machine.h"
#include "prometheus/registry.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/testing/builders.h"
#include "ticket-svc/joined_charges.h"

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

// --- ticket::JoinedCharges ---

// Tickets that ask for their charge. A call takes as long as it is said.
struct Counter : Computer {
  using Asked = std::vector<runtime::LedgerConfirmation>;
  using Decisions = absl::StatusOr<std::vector<runtime::LedgerDecision>>;
  static constexpr absl::Duration kPatience = absl::Hours(1);

  explicit Counter(uint64_t seed = 1) : Computer(seed) {}

  void Ask(const std::string& uid, std::stop_token stop = {}) {
    Start([this, uid, stop] {
      const auto decision = charges.Confirm(
          {.ticket = {.ns = "default", .name = uid, .uid = uid}, .reservation_id = "", .claim = {}},
          stop, kPatience);
      answered += decision.ok() && decision->id == uid ? 1 : 0;
    });
  }
  Decisions Call(const Asked& asked, const std::stop_token& stop, absl::Duration at_most) {
    const bool together = at_most != kPatience;
    calls_under_way += together ? 1 : 0;
    const bool done = Pause(takes(), stop);
    before_answer();
    calls_under_way -= together ? 1 : 0;
    if (!done) {
      return CancelledError("stopped");
    }
    std::vector<runtime::LedgerDecision> decisions;
    for (const runtime::LedgerConfirmation& one : asked) {
      decisions.push_back({.id = one.ticket.uid, .denied = {}});
    }
    return decisions;
  }

  std::function<absl::Duration()> takes = [] { return absl::Seconds(1); };
  std::function<void()> before_answer = [] {};
  int calls_under_way = 0;
  int answered = 0;
  ticket::JoinedCharges charges{
      [this](const Asked& asked, std::stop_token stop, absl::Duration at_most) {
        return Call(asked, stop, at_most);
      }};
};

TEST_CASE("wake-ups: an answer wakes those whom it is for, and one that sees to the next call",
          "[simulation][wake_ups]") {
  Counter counter;
  const auto ask = [&](const std::string& who, int count) {
    for (int i = 0; i < count; ++i) {
      counter.Ask(who + std::to_string(i));
    }
  };
  const auto next_answer = [&] {
    counter.RunFor(absl::Milliseconds(500));
    return counter.Wakes([&] { counter.RunFor(absl::Milliseconds(500)); });
  };
  CHECK(counter.Wakes([&] { ask("first", 1); }) == 1);
  CHECK(counter.Wakes([&] { ask("second", 10); }) == 10);
  CHECK(next_answer() == 2);
  CHECK(counter.answered == 1);
  ask("third", 5);
  CHECK(next_answer() == 11);
  CHECK(counter.answered == 11);
  CHECK(next_answer() == 5);
  CHECK(counter.answered == 16);
  CHECK(counter.machine.threads() == 0);
}

TEST_CASE("wake-ups: whoever stops, nobody waits for a charge while no call is under way",
          "[simulation][wake_ups]") {
  constexpr size_t kTickets = 12;
  int waited = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    Counter counter(seed);
    Dice dice(seed, "test");
    counter.takes = [&] { return dice.Between(absl::Milliseconds(1), absl::Milliseconds(30)); };
    // Some stop just when it would be their turn.
    std::vector<std::stop_source> stops(kTickets);
    std::set<size_t> stopped;
    counter.before_answer = [&] {
      while (dice.Below(2) == 0) {
        const size_t one = dice.Below(kTickets / 2);
        stopped.insert(one);
        stops[one].request_stop();
      }
    };
    for (size_t i = 0; i < kTickets; ++i) {
      counter.machine.After(dice.Between(absl::ZeroDuration(), absl::Milliseconds(200)),
                            [&, i] { counter.Ask(std::to_string(i), stops[i].get_token()); });
    }
    for (int i = 0; i < 100; ++i) {
      counter.RunFor(absl::Milliseconds(3));
      if (counter.charges.Waiting() > 0) {
        ++waited;
        REQUIRE(counter.calls_under_way == 1);
      }
    }
    counter.RunAll();
    CHECK(counter.machine.threads() == 0);
    CHECK(counter.answered >= static_cast<int>(kTickets - stopped.size()));
  }
  CHECK(waited > 300);
}

// --- quota::LedgerDesk ---

// A ledger with a term, and the one that writes it down.
struct Desk : Computer {
  Desk() {
    desk.Begin({.epoch = 1}, [](const std::set<std::string>&) {});
    desk.Observe([](quota::Ledger& ledger) { ledger.PutNamespace("default", {}); });
    desk.Open();
    Start([this] {
      while (const std::optional<quota::Batch> batch = desk.NextBatch(stop.get_token())) {
        ++batches;
        desk.MarkDurable(*batch);
      }
    });
    RunFor(absl::ZeroDuration());
  }
  ~Desk() {
    stop.request_stop();
    RunAll();
    desk.Close();
  }

  void Reserve(std::vector<std::string> ids) {
    Start([this, ids = std::move(ids)] {
      const auto answer = desk.Reserve({.claim = quota::testing::MakeClaim(), .ids = ids},
                                       SteadyNow() + std::chrono::seconds(20));
      answered += answer.ok() ? 1 : 0;
    });
  }
  // Of what the ledger knows and need not write down.
  void Observe(const std::string& order) {
    desk.Observe([&](quota::Ledger& ledger) { ledger.OrderGone(order); });
  }

  prometheus::Registry registry;
  quota::Metrics metrics{registry};
  quota::LedgerDesk desk{clock,
                         metrics,
                         [](const std::string&) { return std::optional<api::Labels>(); },
                         {.max_bytes = 5'000}};
  std::stop_source stop;
  int batches = 0;
  int answered = 0;
};

TEST_CASE("wake-ups: the writer of the ledger sleeps through what it does not wait for",
          "[simulation][wake_ups]") {
  Desk desk;
  CHECK(desk.Wakes([&] { desk.Observe("clean"); }) == 0);
  // One that asks: it begins, has the writer woken, and is woken by it.
  CHECK(desk.Wakes([&] { desk.Reserve({"a"}); }) == 3);
  CHECK(desk.answered == 1);
  // Nobody waits for it, so the writer takes its time; and is left alone.
  CHECK(desk.Wakes([&] { REQUIRE(desk.desk.Release({"a"}).ok()); }) == 1);
  for (int i = 0; i < 100; ++i) {
    CHECK(desk.Wakes([&] { desk.Observe("dirty"); }) == 0);
  }
  CHECK(desk.batches == 1);
  CHECK(desk.Wakes([&] { desk.Reserve({"b"}); }) == 3);
  CHECK(desk.answered == 2);
  CHECK(desk.batches == 2);
}

TEST_CASE("wake-ups: what nobody waits for is written in the end, whatever made it",
          "[simulation][wake_ups]") {
  Desk desk;
  desk.Reserve({"a"});
  desk.RunFor(absl::Seconds(10));
  CHECK(desk.batches == 1);
  SECTION("something given back") { REQUIRE(desk.desk.Release({"a"}).ok()); }
  SECTION("a call that ends in an error, after it changed something") {
    desk.Reserve({"a", std::string(10'000, 'b')});
  }
  desk.RunFor(absl::Seconds(2));
  CHECK(desk.batches == 1);
  desk.RunFor(absl::Seconds(2));
  CHECK(desk.batches == 2);
  CHECK(desk.answered == 1);
}

}  // namespace
}  // namespace korder::simulation
