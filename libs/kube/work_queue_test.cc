#include "kube/work_queue.h"

#include <atomic>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"

namespace korder::kube {
namespace {

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};
const ObjectKey kC{"ns", "c"};

// Notes what a queue says of itself.
class Notes final : public Observer {
 public:
  void QueueDepth(std::string_view, int depth) override { depths.push_back(depth); }
  void QueueAdd(std::string_view) override { ++adds; }
  void QueueRetry(std::string_view) override { ++retries; }
  void QueueWait(std::string_view queue, absl::Duration waited) override {
    name = queue;
    waits.push_back(waited);
  }

  std::string name;
  int adds = 0;
  int retries = 0;
  std::vector<int> depths;
  std::vector<absl::Duration> waits;
};

constexpr BackoffPolicy kNoJitter{
    .initial = absl::Seconds(1), .max = absl::Seconds(30), .factor = 2, .jitter = 0};

// A queue, a clock to move, and short names for what the tests do all the time.
struct Rig {
  FakeClock clock;
  Notes notes;
  WorkQueue queue{"tickets", clock, kNoJitter, notes};

  // Takes all that is due, finishing each at once.
  std::vector<ObjectKey> Drain() {
    std::vector<ObjectKey> keys;
    while (std::optional<ObjectKey> key = queue.TryGet()) {
      queue.Done(*key);
      keys.push_back(*std::move(key));
    }
    return keys;
  }
};

using Keys = std::vector<ObjectKey>;

TEST_CASE("work queue: items come in the order in which they were added", "[work_queue]") {
  Rig rig;
  rig.queue.Add(kB);
  rig.queue.Add(kC);
  rig.queue.Add(kA);
  CHECK(rig.queue.size() == 3);
  CHECK(rig.Drain() == Keys{kB, kC, kA});
  CHECK(rig.queue.size() == 0);
}

TEST_CASE(
    "work queue: an item that is added again while it waits is handled once and keeps its place",
    "[work_queue]") {
  Rig rig;
  rig.queue.Add(kA);
  rig.queue.Add(kB);
  rig.queue.Add(kA);
  CHECK(rig.Drain() == Keys{kA, kB});
}

TEST_CASE("work queue: an item is never handed out while it is being processed", "[work_queue]") {
  Rig rig;
  rig.queue.Add(kA);
  REQUIRE(rig.queue.TryGet() == kA);
  rig.queue.Add(kA);
  rig.queue.AddAfter(kA, absl::Seconds(1));
  rig.clock.Advance(absl::Seconds(2));
  CHECK(rig.queue.TryGet() == std::nullopt);
  rig.queue.Done(kA);
  CHECK(rig.Drain() == Keys{kA});
}

TEST_CASE("work queue: an item added while it is processed comes back once, behind the others",
          "[work_queue]") {
  Rig rig;
  rig.queue.Add(kA);
  REQUIRE(rig.queue.TryGet() == kA);
  rig.queue.Add(kA);
  rig.queue.Add(kB);
  rig.queue.Add(kA);
  rig.queue.Done(kA);
  CHECK(rig.Drain() == Keys{kB, kA});
}

TEST_CASE("work queue: an item that nobody added again does not come back", "[work_queue]") {
  Rig rig;
  rig.queue.Add(kA);
  REQUIRE(rig.queue.TryGet() == kA);
  rig.queue.Done(kA);
  CHECK(rig.queue.TryGet() == std::nullopt);
}

TEST_CASE("work queue: a delayed item comes when it is due; of two delays the earlier counts",
          "[work_queue]") {
  Rig rig;
  rig.queue.AddAfter(kA, absl::Seconds(5));
  rig.queue.AddAfter(kA, absl::Seconds(60));
  rig.queue.AddAfter(kB, absl::Seconds(60));
  rig.queue.AddAfter(kB, absl::Seconds(6));
  CHECK(rig.queue.size() == 0);
  CHECK(rig.queue.NextDeadline() == rig.clock.Mono() + std::chrono::seconds(5));
  rig.clock.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  CHECK(rig.Drain() == Keys{});
  rig.clock.Advance(absl::Nanoseconds(1));
  CHECK(rig.Drain() == Keys{kA});
  rig.clock.Advance(absl::Seconds(1));
  CHECK(rig.Drain() == Keys{kB});
  rig.clock.Advance(absl::Hours(1));
  CHECK(rig.Drain() == Keys{});
}

TEST_CASE("work queue: no delay and an endless delay are both taken as they are meant",
          "[work_queue]") {
  Rig rig;
  rig.queue.AddAfter(kA, absl::ZeroDuration());
  rig.queue.AddAfter(kB, absl::Seconds(-5));
  rig.queue.AddAfter(kC, absl::InfiniteDuration());
  rig.clock.Advance(absl::Hours(24 * 300));
  CHECK(rig.Drain() == Keys{kA, kB});
}

TEST_CASE("work queue: failures make an item wait longer and longer, up to a limit; Forget ends it",
          "[work_queue]") {
  Rig rig;
  for (const int want : {1, 2, 4, 8, 16, 30, 30}) {
    rig.queue.AddRateLimited(kA);
    CHECK(rig.queue.NextDeadline() == rig.clock.Mono() + std::chrono::seconds(want));
    rig.clock.Advance(absl::Seconds(want));
    CHECK(rig.Drain() == Keys{kA});
  }
  CHECK(rig.queue.Failures(kA) == 7);
  CHECK(rig.queue.Failures(kB) == 0);
  rig.queue.Forget(kA);
  CHECK(rig.queue.Failures(kA) == 0);
  rig.queue.AddRateLimited(kA);
  CHECK(rig.queue.NextDeadline() == rig.clock.Mono() + std::chrono::seconds(1));
}

TEST_CASE("work queue: RetryFailed makes what failed due at once, and nothing else",
          "[work_queue]") {
  Rig rig;
  rig.queue.AddRateLimited(kA);
  rig.queue.AddAfter(kB, absl::Seconds(1));
  rig.queue.AddRateLimited(kC);
  rig.queue.Forget(kC);
  rig.queue.RetryFailed();
  CHECK(rig.Drain() == Keys{kA});
  CHECK(rig.queue.Failures(kA) == 1);
  rig.clock.Advance(absl::Seconds(1));
  CHECK(rig.Drain() == Keys{kB, kC});  // kA was not due a second time
}

TEST_CASE("work queue: tells its observer what it does", "[work_queue]") {
  Rig rig;
  rig.queue.Add(kA);
  rig.queue.Add(kB);
  rig.queue.AddRateLimited(kC);
  rig.clock.Advance(absl::Seconds(3));
  CHECK(rig.Drain() == Keys{kA, kB, kC});
  CHECK(rig.notes.name == "tickets");
  CHECK(rig.notes.adds == 3);
  CHECK(rig.notes.retries == 1);
  CHECK(rig.notes.depths == std::vector<int>{1, 2, 2, 1, 0});
  // The last was due after a second: from then on it waited.
  CHECK(rig.notes.waits ==
        std::vector<absl::Duration>{absl::Seconds(3), absl::Seconds(3), absl::Seconds(2)});
}

TEST_CASE("work queue: a stop request ends a Get that waits, and one that does not",
          "[work_queue]") {
  Rig rig;
  std::stop_source stop;
  std::optional<ObjectKey> got = kA;
  std::latch begun(1);
  std::jthread worker([&] {
    begun.count_down();
    got = rig.queue.Get(stop.get_token());
  });
  begun.wait();
  stop.request_stop();
  worker.join();
  CHECK(got == std::nullopt);
  rig.queue.Add(kA);
  CHECK(rig.queue.Get(stop.get_token()) == std::nullopt);
  CHECK(rig.queue.size() == 1);
}

TEST_CASE("work queue: a Get that waits is woken by Add, by Done and by a sooner delay",
          "[work_queue]") {
  // Real time, since a waiting Get sleeps in it. Far below the heartbeat, so a missed wake-up
  // fails.
  SystemClock clock;
  WorkQueue queue("q", clock);
  const auto take = [&](std::optional<ObjectKey>& into, std::latch& begun) {
    return std::jthread([&] {
      begun.count_down();
      into = queue.Get({});
    });
  };
  const MonoTime begin = clock.Mono();
  {
    std::optional<ObjectKey> got;
    std::latch begun(1);
    std::jthread worker = take(got, begun);
    begun.wait();
    queue.Add(kA);
    worker.join();
    CHECK(got == kA);
  }
  {
    queue.Add(kA);  // still being processed
    std::optional<ObjectKey> got;
    std::latch begun(1);
    std::jthread worker = take(got, begun);
    begun.wait();
    queue.Done(kA);
    worker.join();
    CHECK(got == kA);
  }
  {
    queue.AddAfter(kB, absl::Hours(1));
    std::optional<ObjectKey> got;
    std::latch begun(1);
    std::jthread worker = take(got, begun);
    begun.wait();
    queue.AddAfter(kB, absl::Milliseconds(1));
    worker.join();
    CHECK(got == kB);
  }
  CHECK(clock.Mono() - begin < std::chrono::seconds(8));
}

TEST_CASE(
    "work queue: with many workers every key is handled after its last Add, never twice at once",
    "[work_queue]") {
  constexpr int kKeys = 20;
  constexpr int kAdds = 2000;
  SystemClock clock;
  WorkQueue queue("q", clock);
  std::vector<std::atomic<int>> added(kKeys);
  std::vector<std::atomic<int>> seen(kKeys);
  std::vector<std::atomic<bool>> busy(kKeys);
  std::atomic<int> collisions = 0;
  std::atomic<int> up_to_date = 0;
  std::stop_source stop;
  const auto work = [&] {
    while (const std::optional<ObjectKey> key = queue.Get(stop.get_token())) {
      const auto i = static_cast<size_t>(std::stoi(key->name));
      collisions += busy[i].exchange(true) ? 1 : 0;
      const int version = added[i].load();
      const int before = seen[i].exchange(version);
      busy[i] = false;
      queue.Done(*key);
      if (before != kAdds && version == kAdds && ++up_to_date == kKeys) {
        stop.request_stop();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back(work);
    }
    for (size_t p = 0; p < 2; ++p) {
      threads.emplace_back([&, p] {
        for (int n = 0; n < kAdds; ++n) {
          for (size_t i = p; i < kKeys; i += 2) {
            ++added[i];
            const ObjectKey key{"", std::to_string(i)};
            n % 3 == 0 ? queue.AddAfter(key, absl::Microseconds(50)) : queue.Add(key);
          }
        }
      });
    }
  }
  CHECK(collisions == 0);
  CHECK(up_to_date == kKeys);
}

TEST_CASE("work queue: after a burst, which leaves no room behind, each is handled once as before",
          "[work_queue]") {
  const FakeClock clock{absl::UnixEpoch()};
  WorkQueue queue("test", clock);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2000; ++i) {
      queue.Add({"ns", std::to_string(i)});
      queue.Add({"ns", std::to_string(i)});
    }
    for (int i = 0; i < 2000; ++i) {
      const std::optional<ObjectKey> key = queue.TryGet();
      REQUIRE(key == ObjectKey{"ns", std::to_string(i)});
      queue.Add(*key);  // while it is handled
      queue.Done(*key);
    }
    for (int i = 0; i < 2000; ++i) {
      const std::optional<ObjectKey> key = queue.TryGet();
      REQUIRE(key == ObjectKey{"ns", std::to_string(i)});
      queue.Done(*key);
    }
    REQUIRE(queue.TryGet() == std::nullopt);
  }
}

}  // namespace
}  // namespace korder::kube
