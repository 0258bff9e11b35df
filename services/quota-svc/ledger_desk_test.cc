#include "quota-svc/ledger_desk.h"

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "prometheus/text_serializer.h"
#include "quota-svc/testing/desk_fixture.h"

namespace korder::quota {
namespace {

using testing::DeskFixture;
using testing::MakeClaim;
using testing::MakeQuota;

const api::Quota kTwoTickets = MakeQuota("q").Hard("tickets", "2");

int CountGranted(const absl::StatusOr<Answer<std::vector<Outcome>>>& answer) {
  int granted = 0;
  if (answer.ok()) {
    for (const Outcome& outcome : answer->value) {
      granted += std::holds_alternative<Granted>(outcome.verdict) ? 1 : 0;
    }
  }
  return granted;
}

std::string TextOf(const prometheus::Registry& registry) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry.Collect());
  return out.str();
}

TEST_CASE("ledger desk: no answer before its batch is durable", "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  auto answer = std::async(std::launch::async, [&] {
    return fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon());
  });
  const std::optional<Batch> batch = fixture.desk.NextBatch({});
  REQUIRE(batch);
  REQUIRE(batch->changes.size() == 1);
  CHECK(batch->changes[0].id == "a");
  CHECK(batch->changes[0].grant);
  CHECK(answer.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  fixture.desk.MarkDurable(*batch);
  const auto got = answer.get();
  REQUIRE(got.ok());
  CHECK(got->epoch == 7);
  CHECK(CountGranted(got) == 1);
}

TEST_CASE("ledger desk: a repeated call waits for a batch, which proves that we still lead",
          "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  const auto reserve = [&] { return fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon()); };
  auto first = std::async(std::launch::async, reserve);
  const std::optional<Batch> batch = fixture.desk.NextBatch({});
  auto second = std::async(std::launch::async, reserve);
  CHECK(second.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  fixture.desk.MarkDurable(*batch);
  CHECK(CountGranted(first.get()) == 1);
  CHECK(second.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  const std::optional<Batch> next = fixture.desk.NextBatch({});
  CHECK(next->changes.empty());
  fixture.desk.MarkDurable(*next);
  CHECK(CountGranted(second.get()) == 1);
}

TEST_CASE("ledger desk: what was given back is written with the next grant, or after a while",
          "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  const auto reserve = [&](const std::string& id) {
    return fixture.desk.Reserve({.claim = MakeClaim(), .ids = {id}, .ticket_names = {"t-" + id}},
                                fixture.Soon());
  };
  const auto confirm = [&] {
    return fixture.desk.Confirm(
        {{.uid = "uid", .reservation_id = "a", .claim = MakeClaim(), .name = "t-a"}},
        fixture.Soon());
  };
  // The next batch, written at once, for a call that waits for it.
  const auto written = [&](const auto& call) {
    auto answer = std::async(std::launch::async, call);
    const std::optional<Batch> batch = fixture.desk.NextBatch({}, absl::Seconds(5));
    fixture.desk.MarkDurable(*batch);
    REQUIRE(answer.get().ok());
    std::string text;
    for (const GrantChange& change : batch->changes) {
      text += (change.grant ? "+" : "-") + change.id;
    }
    return text;
  };
  CHECK(written([&] { return reserve("a"); }) == "+a");
  CHECK(written([&] { return reserve("b"); }) == "+b");
  REQUIRE(fixture.desk.Release({"b"}).ok());
  CHECK(written(confirm).empty());
  SECTION("with a grant") {
    CHECK(written([&] { return reserve("c"); }) == "-b+c");
  }
  SECTION("alone") {
    const std::optional<Batch> batch = fixture.desk.NextBatch({}, absl::Milliseconds(1));
    CHECK(batch->changes.empty());  // within five seconds of the last
    DeskFixture other(kTwoTickets);
    other.WriteInBackground();
    REQUIRE(other.desk.Reserve({MakeClaim(), {"a"}}, other.Soon()).ok());
    REQUIRE(other.desk.Release({"a"}).ok());
    const MonoTime end = other.Soon();
    const auto pending = [&] {
      return other.desk.Look(true, [](const Ledger& l) { return l.HasGrantChanges(); });
    };
    while (pending() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK_FALSE(pending());
  }
}

TEST_CASE("ledger desk: a refusal needs no write", "[quota][desk]") {
  DeskFixture fixture(MakeQuota("q").Hard("tickets", "0"));
  const auto answer = fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon());
  REQUIRE(answer.ok());
  CHECK(CountGranted(answer) == 0);
}

TEST_CASE("ledger desk: whoever waits longer than its deadline is told so", "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  const auto answer = fixture.desk.Reserve({MakeClaim(), {"a"}}, std::chrono::steady_clock::now());
  CHECK(answer.status().code() == absl::StatusCode::kDeadlineExceeded);
  // The decision stands and becomes durable; asking again gives it.
  fixture.WriteInBackground();
  CHECK(CountGranted(fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon())) == 1);
  CHECK(fixture.desk.Query()->value[0].used == Amounts{{"tickets", api::Quantity::FromInt(1)}});
}

TEST_CASE("ledger desk: the end of a term is UNAVAILABLE for everybody", "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  auto waiting = std::async(std::launch::async, [&] {
    return fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon());
  });
  const std::optional<Batch> batch = fixture.desk.NextBatch({});
  fixture.desk.Close();
  CHECK(waiting.get().status().code() == absl::StatusCode::kUnavailable);
  fixture.desk.MarkDurable(*batch);  // of a term that is over: nobody may be misled by it
  CHECK(fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon()).status().code() ==
        absl::StatusCode::kUnavailable);
  CHECK(fixture.desk.Confirm({{"u", "", MakeClaim()}}, fixture.Soon()).status().code() ==
        absl::StatusCode::kUnavailable);
  CHECK(fixture.desk.Release({"a"}).status().code() == absl::StatusCode::kUnavailable);
  CHECK(fixture.desk.Query().status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("ledger desk: nothing is answered before the term is open", "[quota][desk]") {
  DeskFixture fixture(int64_t{3});
  CHECK(fixture.desk.Query().status().code() == absl::StatusCode::kUnavailable);
  CHECK_FALSE(fixture.desk.open());
  fixture.desk.Open();
  CHECK(fixture.desk.Query()->epoch == 3);
}

TEST_CASE("ledger desk: calls that come while a write is under way share the next one",
          "[quota][desk]") {
  DeskFixture fixture(MakeQuota("q").Hard("tickets", "100"));
  std::vector<std::future<absl::StatusOr<Answer<std::vector<Outcome>>>>> calls;
  const auto call = [&](int i) {
    calls.push_back(std::async(std::launch::async, [&fixture, i] {
      return fixture.desk.Reserve({MakeClaim(), {absl::StrCat("id-", i)}}, fixture.Soon());
    }));
  };
  call(0);
  const std::optional<Batch> first = fixture.desk.NextBatch({});
  for (int i = 1; i <= 30; ++i) {
    call(i);
  }
  // All thirty have decided once the ledger holds their grants.
  while (fixture.desk.Look(size_t{0}, [](const Ledger& l) { return l.grants().size(); }) < 31) {
    std::this_thread::yield();
  }
  fixture.desk.MarkDurable(*first);
  const std::optional<Batch> second = fixture.desk.NextBatch({});
  CHECK(first->changes.size() == 1);
  CHECK(second->changes.size() == 30);
  fixture.desk.MarkDurable(*second);
  for (auto& answer : calls) {
    CHECK(CountGranted(answer.get()) == 1);
  }
}

TEST_CASE("ledger desk: what nobody waits for is written a little later", "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  fixture.WriteInBackground();
  REQUIRE(CountGranted(fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon())) == 1);
  fixture.writer = {};
  REQUIRE(fixture.desk.Release({"a"}).ok());
  const auto begin = std::chrono::steady_clock::now();
  const std::optional<Batch> batch = fixture.desk.NextBatch({}, absl::Milliseconds(30));
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(30));
  REQUIRE(batch);
  REQUIRE(batch->changes.size() == 1);
  CHECK_FALSE(batch->changes[0].grant);
}

TEST_CASE("ledger desk: a namespace that no watch has shown is looked up", "[quota][desk]") {
  DeskFixture fixture(MakeQuota("q").Hard("tickets", "0").ForNamespacesWith({{"team", "a"}}));
  fixture.WriteInBackground();
  SECTION("it is there") {
    fixture.find = [](const std::string&) {
      return std::optional<api::Labels>(api::Labels{{"team", "a"}});
    };
    const auto answer = fixture.desk.Reserve({MakeClaim("new"), {"a"}}, fixture.Soon());
    REQUIRE(answer.ok());
    CHECK(CountGranted(answer) == 0);
  }
  SECTION("it is not") {
    CHECK(fixture.desk.Reserve({MakeClaim("new"), {"a"}}, fixture.Soon()).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
  SECTION("nobody can say") {
    fixture.find = [](const std::string&) { return UnavailableError("down"); };
    CHECK(fixture.desk.Reserve({MakeClaim("new"), {"a"}}, fixture.Soon()).status().code() ==
          absl::StatusCode::kUnavailable);
  }
}

TEST_CASE("ledger desk: 64 callers at once get exactly what the limit allows", "[quota][desk]") {
  constexpr int kCallers = 64;
  constexpr int kEach = 50;
  constexpr int kLimit = kCallers * kEach / 2;
  DeskFixture fixture(MakeQuota("q").Hard("tickets", absl::StrCat(kLimit)));
  std::atomic<int> durable = 0;
  std::atomic<int> most_durable = 0;
  std::atomic<int> batches = 0;
  fixture.WriteInBackground([&](const Batch& batch) {
    for (const GrantChange& change : batch.changes) {
      durable += change.grant ? 1 : -1;
    }
    most_durable = std::max<int>(most_durable, durable);
    ++batches;
  });
  std::atomic<int> granted = 0;
  std::atomic<int> denied = 0;
  {
    std::latch start(kCallers);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        start.arrive_and_wait();
        for (int i = 0; i < kEach; ++i) {
          const Reservation asked{MakeClaim(), {absl::StrCat("id-", caller, "-", i)}};
          auto answer = fixture.desk.Reserve(asked, fixture.Soon());
          if (i % 5 == 0) {  // as after a lost answer
            answer = fixture.desk.Reserve(asked, fixture.Soon());
          }
          (CountGranted(answer) == 1 ? granted : denied) += answer.ok() ? 1 : 0;
        }
      });
    }
  }
  CHECK(granted == kLimit);
  CHECK(denied == kCallers * kEach - kLimit);
  CHECK(most_durable == kLimit);
  CHECK(batches < kLimit);
  CHECK(fixture.desk.Query()->value[0].used ==
        Amounts{{"tickets", api::Quantity::FromInt(kLimit)}});
}

TEST_CASE("ledger desk: whoever watches quotas is told of every change", "[quota][desk]") {
  DeskFixture fixture(kTwoTickets);
  fixture.WriteInBackground();
  {
    const MutexLock lock(fixture.mu);
    fixture.changed.clear();
  }
  REQUIRE(fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon()).ok());
  const MutexLock lock(fixture.mu);
  CHECK(fixture.changed == std::set<std::string>{"q"});
}

TEST_CASE("ledger desk: decisions are counted by result and reason", "[quota][desk]") {
  DeskFixture fixture(MakeQuota("q").Hard("tickets", "1").Hard("reserved.cpu", "1"));
  fixture.WriteInBackground();
  REQUIRE(fixture.desk.Reserve({MakeClaim(), {"a", "b"}}, fixture.Soon()).ok());
  REQUIRE(fixture.desk.Confirm({{"u", "", MakeClaim().With("cpu", "2")}}, fixture.Soon()).ok());
  REQUIRE_FALSE(fixture.desk.Reserve({MakeClaim().With("cpu", "1"), {"a"}}, fixture.Soon()).ok());
  const std::string text = TextOf(fixture.registry);
  for (const char* line :
       {"korder_quota_decisions_total{reason=\"\",result=\"granted\"} 1",
        "korder_quota_decisions_total{reason=\"tickets\",result=\"denied\"} 1",
        "korder_quota_decisions_total{reason=\"reserved\",result=\"denied\"} 1",
        "korder_quota_decisions_total{reason=\"INVALID_ARGUMENT\",result=\"error\"} 1",
        "korder_quota_decisions_total{reason=\"orders\",result=\"denied\"} 0",
        "korder_quota_decision_duration_seconds_count 3"}) {
    CHECK_THAT(text, Catch::Contains(line));
  }
}

}  // namespace
}  // namespace korder::quota
