// 1,000 recorded histories of 200 calls by concurrent callers, checked against a quota that does
// one thing at a time.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "quota-svc/testing/linearizable.h"
#include "quota-svc/testing/replica.h"

namespace korder::quota {
namespace {

using testing::IsLinearizable;
using testing::MakeClaim;
using testing::MakeQuota;
using testing::Operation;
using testing::Replica;
using Told = Operation::Answer;
using Kind = Operation::Kind;

constexpr int kThreads = 4;
constexpr int kOperations = 50;  // of each thread
constexpr int kLimit = 3;

// How many histories of each kind; fewer where each takes long.
uint32_t Histories() {
  uint32_t histories = 500;
  if (const char* text = std::getenv("KORDER_HISTORIES")) {
    REQUIRE(absl::SimpleAtoi(text, &histories));
  }
  return histories;
}

struct Run {
  explicit Run(uint32_t run_seed) : seed(run_seed) { replicas[0]->Lead(1); }

  // One call of somebody who leads, or seems to.
  Operation Perform(std::mt19937& random) {
    const Kind kind = random() % 3 == 0 ? Kind::kRelease : Kind::kReserve;
    const int id = static_cast<int>(random() % 7);
    for (size_t r = random();; ++r) {
      const std::optional<Operation> done = Ask(replicas[r % 2]->desk, kind, id);
      if (done) {
        return *done;
      }
      std::this_thread::yield();
    }
  }
  // Nothing when the replica does not lead: then nothing happened.
  std::optional<Operation> Ask(LedgerDesk& desk, Kind kind, int id) {
    Operation operation{.kind = kind, .id = id, .called = ++ticks};
    const std::string name = absl::StrCat("id-", id);
    absl::Status status;
    if (kind == Kind::kRelease) {
      status = desk.Release({name}).status();
      operation.answer = Told::kYes;
    } else {
      const auto answer = desk.Reserve({.claim = MakeClaim(), .ids = {name}},
                                       std::chrono::steady_clock::now() + std::chrono::seconds(5));
      status = answer.status();
      const bool yes = answer.ok() && std::holds_alternative<Granted>(answer->value[0].verdict);
      operation.answer = yes ? Told::kYes : Told::kNo;
    }
    operation.returned = ++ticks;
    if (!status.ok()) {
      if (Message(status) == "this replica does not lead quota-svc") {
        return std::nullopt;
      }
      operation.answer = Told::kUnknown;
    }
    return operation;
  }

  // The next write does not arrive, or its answer is lost.
  void LoseSomething(std::mt19937& random) {
    switch (random() % 4) {
      case 0:
        return server.LoseNextResponse("update", "configmaps");
      case 1:
        return server.LoseNextRequest("update", "configmaps");
      default:
        return;
    }
  }

  // `disturb` runs beside the callers until they are done.
  std::vector<Operation> History(const std::function<void()>& disturb) {
    std::vector<std::vector<Operation>> parts(kThreads);
    std::atomic<int> busy = kThreads;
    {
      std::vector<std::jthread> threads;
      for (uint32_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
          std::mt19937 random(seed * 31 + t);
          for (int i = 0; i < kOperations; ++i) {
            parts[t].push_back(Perform(random));
          }
          --busy;
        });
      }
      while (busy > 0) {
        disturb();
      }
    }
    std::vector<Operation> history;
    for (const std::vector<Operation>& part : parts) {
      history.insert(history.end(), part.begin(), part.end());
    }
    return history;
  }

  const uint32_t seed;
  FakeClock clock;
  kube::FakeApiServer server{clock};
  const api::Quota quota = MakeQuota("q").Hard("tickets", absl::StrCat(kLimit));
  std::array<std::unique_ptr<Replica>, 2> replicas = {
      std::make_unique<Replica>(server, clock, quota),
      std::make_unique<Replica>(server, clock, quota)};
  std::atomic<int64_t> ticks = 0;
};

}  // namespace

TEST_CASE("linearizability: the checker knows what cannot have happened", "[quota][histories]") {
  const auto reserve = [](int id, Told answer, int64_t called, int64_t returned) {
    return Operation{Kind::kReserve, id, answer, called, returned};
  };
  const auto release = [](int id, int64_t called, int64_t returned) {
    return Operation{Kind::kRelease, id, Told::kYes, called, returned};
  };
  const auto yes = Told::kYes;
  const auto no = Told::kNo;
  // One after the other.
  CHECK(IsLinearizable({reserve(0, yes, 1, 2), reserve(1, no, 3, 4)}, {.limit = 1}));
  CHECK_FALSE(IsLinearizable({reserve(0, yes, 1, 2), reserve(1, yes, 3, 4)}, {.limit = 1}));
  CHECK_FALSE(IsLinearizable({reserve(0, no, 1, 2)}, {.limit = 1}));
  CHECK(IsLinearizable({reserve(0, yes, 1, 2), release(0, 3, 4), reserve(1, yes, 5, 6)},
                       {.limit = 1}));
  CHECK(IsLinearizable({reserve(0, yes, 1, 2), reserve(0, yes, 3, 4)}, {.limit = 1}));
  // At the same time, either may have been first; both cannot.
  CHECK(IsLinearizable({reserve(0, no, 1, 4), reserve(1, yes, 2, 3)}, {.limit = 1}));
  CHECK_FALSE(IsLinearizable({reserve(0, yes, 1, 4), reserve(1, yes, 2, 3)}, {.limit = 1}));
  // A refusal before the grant that it is due to was called.
  CHECK_FALSE(IsLinearizable({reserve(0, no, 1, 2), reserve(1, yes, 3, 4)}, {.limit = 1}));
  // Unknown: it may have happened, also later, or not.
  CHECK(IsLinearizable({reserve(0, Told::kUnknown, 1, 2), reserve(1, no, 3, 4)}, {.limit = 1}));
  CHECK(IsLinearizable({reserve(0, Told::kUnknown, 1, 2), reserve(1, yes, 3, 4)}, {.limit = 1}));
  // Over the limit stays wrong however much is forgotten.
  CHECK_FALSE(IsLinearizable({reserve(0, yes, 1, 4), reserve(1, yes, 2, 3)},
                             {.limit = 1, .forgetful = true}));
}

// What happened one after the other, told as if several callers had been at it at once: each call
// began a little earlier and returned a little later than it was decided.
std::vector<Operation> Legal(uint32_t seed) {
  std::mt19937 random(seed);
  std::set<int> held;
  std::vector<Operation> history;
  for (int64_t now = 100; history.size() < kThreads * kOperations; now += 10) {
    Operation operation{.kind = random() % 3 == 0 ? Kind::kRelease : Kind::kReserve,
                        .id = static_cast<int>(random() % 7),
                        .answer = Told::kYes,
                        .called = now - static_cast<int64_t>(random() % 25),
                        .returned = now + static_cast<int64_t>(random() % 25)};
    if (operation.kind == Kind::kRelease) {
      held.erase(operation.id);
    } else if (held.contains(operation.id) || held.size() < kLimit) {
      held.insert(operation.id);
    } else {
      operation.answer = Told::kNo;
    }
    if (random() % 10 == 0) {
      operation.answer = Told::kUnknown;  // it was decided, but nobody was told
    }
    history.push_back(operation);
  }
  return history;
}

// One after the other, when everything else is over.
void Append(std::vector<Operation>& history, Kind kind, std::initializer_list<int> ids, Told told) {
  int64_t now = 0;
  for (const Operation& operation : history) {
    now = std::max(now, operation.returned);
  }
  for (const int id : ids) {
    history.push_back({kind, id, told, now + 1, now + 2});
    now += 2;
  }
}

TEST_CASE("linearizability: the checker finds one lie in a long history", "[quota][histories]") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const std::vector<Operation> legal = Legal(seed);
    REQUIRE(IsLinearizable(legal, {.limit = kLimit}));
    REQUIRE(IsLinearizable(legal, {.limit = kLimit, .forgetful = true}));

    std::vector<Operation> over = legal;
    Append(over, Kind::kRelease, {0, 1, 2, 3, 4, 5, 6}, Told::kYes);
    Append(over, Kind::kReserve, {0, 1, 2}, Told::kYes);
    CHECK(IsLinearizable(over, {.limit = kLimit}));
    Append(over, Kind::kReserve, {3}, Told::kYes);
    // Nothing unknown may be left that could give the room back.
    std::erase_if(over, [](const Operation& o) { return o.answer == Told::kUnknown; });
    CHECK_FALSE(IsLinearizable(over, {.limit = kLimit}));

    std::vector<Operation> stingy = legal;
    Append(stingy, Kind::kRelease, {0, 1, 2, 3, 4, 5, 6}, Told::kYes);
    std::erase_if(stingy, [](const Operation& o) { return o.answer == Told::kUnknown; });
    Append(stingy, Kind::kReserve, {0}, Told::kNo);
    CHECK_FALSE(IsLinearizable(stingy, {.limit = kLimit}));
  }
}

TEST_CASE("linearizability: concurrent callers of one leader", "[quota][histories]") {
  const uint32_t histories = Histories();
  for (uint32_t seed = 0; seed < histories; ++seed) {
    Run run(seed);
    std::mt19937 random(seed);
    const auto history = run.History([&] {
      run.LoseSomething(random);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    });
    CAPTURE(seed);
    REQUIRE(history.size() == kThreads * kOperations);
    REQUIRE(IsLinearizable(history, {.limit = kLimit}));
  }
}

TEST_CASE("linearizability: callers while leaders die and replace each other",
          "[quota][histories]") {
  const uint32_t histories = Histories();
  int64_t terms = 0, unknown = 0;
  for (uint32_t seed = 0; seed < histories; ++seed) {
    Run run(seed);
    std::mt19937 random(seed);
    int64_t epoch = 1;
    const auto history = run.History([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
      run.LoseSomething(random);
      if (epoch < 12) {
        const size_t next = static_cast<size_t>(++epoch % 2);
        if (random() % 2 == 0) {
          run.replicas[1 - next]->Die();
        }
        run.replicas[next]->Die();
        run.replicas[next]->Lead(epoch);
      }
    });
    CAPTURE(seed);
    REQUIRE(history.size() == kThreads * kOperations);
    REQUIRE(IsLinearizable(history, {.limit = kLimit, .forgetful = true}));
    terms += epoch;
    unknown += std::count_if(history.begin(), history.end(),
                             [](const Operation& o) { return o.answer == Told::kUnknown; });
  }
  // Otherwise it was not about what it is called after.
  INFO(terms << " terms, " << unknown << " calls that nobody knows the outcome of");
  CHECK(terms > 4 * histories);
  CHECK(unknown > histories);
}

}  // namespace korder::quota
