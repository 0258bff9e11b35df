// Many callers, leaders that are replaced in mid-call, clocks that jump: what is durable never
// promises more than the limit, and in the end exactly the limit is granted.
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "quota-svc/testing/replica.h"

namespace korder::quota {
namespace {

using testing::MakeClaim;
using testing::MakeQuota;
using testing::Replica;

// Small, so that there are many objects.
constexpr int kObjects = 64;
constexpr SegmentLimits kLimits = {
    .count = kObjects, .soft_bytes = 8 << 10, .hard_bytes = 16 << 20};

// How many grants are asked for in all; a soak takes more.
int Asked(int asked) {
  if (const char* text = std::getenv("KORDER_STORM_GRANTS")) {
    REQUIRE(absl::SimpleAtoi(text, &asked));
  }
  return asked;
}

struct Storm {
  explicit Storm(int limit) : Storm(MakeQuota("q").Hard("tickets", absl::StrCat(limit)), limit) {}
  // `limit` is the highest that is ever in force.
  Storm(const api::Quota& limited, int limit) : quota(limited) {
    // I1 at every instant: what a write makes durable is within the limit. A leader that is not
    // fenced yet may be on its way to one object while its successor repairs another.
    server.OnWrite({.before = nullptr, .after = [this, limit](const kube::ServedCall& call) {
                      if (call.resource == "configmaps") {
                        const int grants = DurableAfter(call);
                        most_ = std::max<int>(most_, grants);
                        over_ = over_ || grants > limit;
                      }
                    }});
  }

  // Asks for its share, one id after the other, of whoever leads, until each has an answer.
  void Call(int caller, int share) {
    std::mt19937 random(static_cast<unsigned>(caller));
    for (int i = 0; i < share; ++i) {
      const Reservation asked{.claim = MakeClaim(), .ids = {absl::StrCat(caller, "-", i)}};
      while (true) {
        LedgerDesk& desk = replicas[random() % 2]->desk;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
        const auto answer = desk.Reserve(asked, deadline);
        if (!answer.ok()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1 + random() % 5));
          continue;
        }
        const bool yes = std::holds_alternative<Granted>(answer->value[0].verdict);
        (yes ? granted : denied) += 1;
        std::this_thread::sleep_for(pause * static_cast<int>(random() % 100) / 100);
        break;
      }
    }
  }

  static std::string Name(int object) {
    return absl::StrCat("korder-quota-ledger", object == 0 ? "" : absl::StrCat("-", object));
  }
  int Durable() {
    kube::Client client(server);
    int grants = 0;
    for (int object = 0; object < kObjects; ++object) {
      const auto found = client.Get<api::ConfigMap>({"korder-system", Name(object)});
      grants += found.ok() ? Count(found->data.at("ledger"), "\ngrant ") : 0;
    }
    return grants;
  }
  // Without reading everything again: 0 is no answer, which says nothing.
  int DurableAfter(const kube::ServedCall& call) {
    const MutexLock lock(mu_);
    if (call.verb == "create") {
      // An object is empty when it is made.
    } else if (call.code >= 200 && call.code < 300) {
      grants_[call.key.name] = Count(call.body, "\\ngrant ");
    } else if (call.code == 0) {
      kube::Client client(server);
      const auto found = client.Get<api::ConfigMap>(call.key);
      grants_[call.key.name] = found.ok() ? Count(found->data.at("ledger"), "\ngrant ") : 0;
    }
    int sum = 0;
    for (const auto& [name, grants] : grants_) {
      sum += grants;
    }
    return sum;
  }
  static int Count(std::string_view text, std::string_view what) {
    int count = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
      ++count;
    }
    return count;
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  const api::Quota quota;
  std::array<std::unique_ptr<Replica>, 2> replicas = {
      std::make_unique<Replica>(server, clock, quota, kLimits),
      std::make_unique<Replica>(server, clock, quota, kLimits)};
  // Between two requests of a caller, at most: so that the storm outlasts many leaders.
  std::chrono::milliseconds pause{0};
  std::atomic<int> granted = 0;
  std::atomic<int> denied = 0;
  Mutex mu_;
  std::map<std::string, int> grants_;  // in each object, as written
  std::atomic<bool> over_ = false;
  std::atomic<int> most_ = 0;
};

// REQUIRES: each caller asks as often as another.
void Run(Storm& storm, int callers, int asked, const std::function<void(int round)>& disturb) {
  storm.replicas[0]->Lead(1);
  REQUIRE(asked % callers == 0);
  std::atomic<int> busy = callers;
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      storm.Call(caller, asked / callers);
      --busy;
    });
  }
  for (int round = 0; busy > 0; ++round) {
    disturb(round);
  }
  threads.clear();
}

}  // namespace

TEST_CASE("ledger storm: half of what many ask for is granted, exactly", "[quota][storm]") {
  const int asked = Asked(102'400);
  Storm storm(asked / 2);
  Run(storm, 256, asked, [](int) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  CHECK(storm.granted == asked / 2);
  CHECK(storm.denied == asked - asked / 2);
  CHECK_FALSE(storm.over_);
  CHECK(storm.Durable() == asked / 2);
}

TEST_CASE("ledger storm: leaders replace each other while the network loses and clocks jump",
          "[quota][storm]") {
  const int asked = Asked(1024);
  Storm storm(asked / 2);
  storm.pause = std::chrono::milliseconds(400);
  std::mt19937 random(9);
  int64_t epoch = 1;
  Run(storm, 64, asked, [&](int round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + random() % 30));
    if (random() % 2 == 0) {
      storm.server.LoseNextResponse("update", "configmaps");
    }
    if (random() % 3 == 0) {
      storm.server.LoseNextRequest("update", "configmaps");
    }
    // Grants must not lapse, so an hour back and forth; nobody sweeps here.
    storm.clock.StepWall(round % 2 == 0 ? absl::Hours(1) : -absl::Hours(1));
    const size_t next = static_cast<size_t>(++epoch % 2);
    if (random() % 2 == 0) {
      storm.replicas[1 - next]->Die();  // otherwise two lead for a while, one of them fenced
    }
    storm.replicas[next]->Die();
    storm.replicas[next]->Lead(epoch);
  });
  CHECK_FALSE(storm.over_);
  CHECK(storm.most_ == asked / 2);
  CHECK(storm.Durable() == asked / 2);
  // Nobody was told yes without its grant being durable, nor no while there was room.
  CHECK(storm.granted == asked / 2);
  CHECK(storm.denied == asked - asked / 2);
  INFO("terms " << epoch);
  CHECK(epoch > 20);
}

TEST_CASE("ledger storm: the clock steps back and forth across the edge of a time window",
          "[quota][storm]") {
  const int asked = Asked(4096);
  const int limit = asked / 4;
  MakeQuota limited("q");
  limited.Hard("tickets", absl::StrCat(limit));
  api::QuotaTimeWindow& window = limited.quota().spec.time_windows.emplace_back();
  window.name = "rush";
  window.multiplier.text = "2";
  window.schedule = "0 9 * * *";
  Storm storm(limited, 2 * limit);
  storm.pause = std::chrono::milliseconds(20);
  storm.clock.Advance(absl::Minutes(60) - absl::Seconds(1));  // one second before it opens
  const auto granted = [&] {
    return storm.replicas[0]->desk.Look(
        size_t{0}, [](const Ledger& ledger) { return ledger.grants().size(); });
  };
  bool grew_outside = false;
  Run(storm, 64, asked, [&](int) {
    // Decisions take the time under the lock that Look takes, too: none before the edge comes
    // later.
    const size_t before = granted();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const size_t after = granted();
    grew_outside = grew_outside || (after > before && after > static_cast<size_t>(limit));
    storm.clock.StepWall(absl::Seconds(2));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    storm.clock.StepWall(-absl::Seconds(2));
  });
  CHECK_FALSE(storm.over_);
  CHECK_FALSE(grew_outside);
  CHECK(storm.granted >= limit);
  CHECK(storm.Durable() == storm.granted);
  // Outside nothing fits; inside exactly the rest does.
  const auto reserve = [&](const std::string& id) {
    const auto answer =
        storm.replicas[0]->desk.Reserve({.claim = MakeClaim(), .ids = {id}},
                                        std::chrono::steady_clock::now() + std::chrono::seconds(5));
    REQUIRE(answer.ok());
    return std::holds_alternative<Granted>(answer->value[0].verdict);
  };
  CHECK_FALSE(reserve("outside"));
  storm.clock.StepWall(absl::Seconds(2));
  int more = 0;
  while (reserve(absl::StrCat("more-", more))) {
    ++more;
  }
  CHECK(storm.granted + more == 2 * limit);
  CHECK(storm.Durable() == 2 * limit);
}

}  // namespace korder::quota
