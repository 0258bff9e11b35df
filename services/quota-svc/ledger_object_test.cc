// The ledger object on an API server in memory: fences, lost answers, damage.
#include "quota-svc/ledger_object.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::MakeClaim;

struct Fixture {
  LedgerObject Object(const std::string& writer) {
    return LedgerObject(
        client, clock,
        {.writer = writer,
         .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(2)}},
        "korder-quota-ledger");
  }
  // What is durable, as ids; "damaged" when it cannot be read.
  std::string Durable() {
    const auto object = client.Get<api::ConfigMap>({"korder-system", "korder-quota-ledger"});
    if (!object.ok()) {
      return "missing";
    }
    const auto image = Decode(object->data.at("ledger"));
    if (!image.ok()) {
      return "damaged";
    }
    std::string ids;
    for (const Grant& grant : image->grants) {
      ids += grant.id;
    }
    return ids;
  }
  // REQUIRES: it can be read.
  std::string Writer() {
    return Decode(client.Get<api::ConfigMap>({"korder-system", "korder-quota-ledger"})
                      ->data.at("ledger"))
        ->writer;
  }
  void Damage(const std::string& text) {
    REQUIRE(client
                .Patch<api::ConfigMap>({"korder-system", "korder-quota-ledger"}, {},
                                       R"({"data":{"ledger":")" + text + R"("}})")
                .ok());
  }
  LedgerImage Content(const std::string& ids) {
    std::vector<Grant> grants;
    for (const char id : ids) {
      grants.push_back(
          {std::string(1, id), MakeClaim().Share(), "", clock.Now() + absl::Seconds(60)});
    }
    return {.grants = std::move(grants)};
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
};

}  // namespace

TEST_CASE("ledger object: what was written is what the next leader opens with", "[quota][log]") {
  Fixture f;
  LedgerObject first = f.Object("one");
  const auto opened = first.Open(1, true, {});
  REQUIRE(opened.ok());
  CHECK_FALSE(opened->damage);
  CHECK(opened->image.grants.empty());
  REQUIRE(first.Write(f.Content("ab"), {}).ok());
  CHECK(f.Durable() == "ab");
  CHECK(f.Writer() == "one");

  LedgerObject second = f.Object("two");
  const auto next = second.Open(2, false, {});
  REQUIRE(next.ok());
  CHECK_FALSE(next->damage);
  CHECK(next->image.epoch == 2);
  CHECK(next->image.writer == "two");
  CHECK(next->image.grants.size() == 2);
}

TEST_CASE("ledger object: a leader that was replaced can write nothing any more", "[quota][log]") {
  Fixture f;
  LedgerObject old_leader = f.Object("one");
  REQUIRE(old_leader.Open(1, true, {}).ok());
  LedgerObject new_leader = f.Object("two");
  REQUIRE(new_leader.Open(2, false, {}).ok());
  CHECK(absl::IsFailedPrecondition(old_leader.Write(f.Content("a"), {})));
  CHECK(f.Durable().empty());
  CHECK(new_leader.Write(f.Content("b"), {}).ok());
  // Nor can it come back with the epoch it had.
  LedgerObject again = f.Object("one");
  CHECK(absl::IsFailedPrecondition(again.Open(1, true, {}).status()));
  CHECK(again.stored_epoch() == 2);
  CHECK(f.Durable() == "b");
}

TEST_CASE("ledger object: a writer's earlier term and another writer's same term are not ours",
          "[quota][log]") {
  Fixture f;
  LedgerObject before = f.Object("one");
  REQUIRE(before.Open(1, true, {}).ok());
  SECTION("a later term of the same writer") { REQUIRE(f.Object("one").Open(2, false, {}).ok()); }
  SECTION("another writer with the same epoch") {
    REQUIRE(f.Object("two").Open(1, false, {}).ok());
  }
  CHECK(absl::IsFailedPrecondition(before.CheckOurs({})));
  CHECK(absl::IsFailedPrecondition(before.Write(f.Content("a"), {})));
  CHECK(f.Durable().empty());
}

TEST_CASE("ledger object: a refusal ends a term before it begins, and is not asked for again",
          "[quota][log]") {
  Fixture f;
  f.server.FailNext("create", "configmaps", 403);
  CHECK(absl::IsPermissionDenied(f.Object("one").Open(1, true, {}).status()));
  CHECK(f.server.Count("create", "configmaps") == 1);
}

TEST_CASE("ledger object: from its second failure on it waits before the next try",
          "[quota][log]") {
  Fixture f;
  LedgerObject log(f.client, f.clock,
                   {.writer = "one",
                    .backoff = {.initial = absl::Milliseconds(40), .max = absl::Milliseconds(40)}},
                   "korder-quota-ledger");
  const auto takes_long = [](const auto& work) {
    const absl::Time began = absl::Now();
    REQUIRE(work().ok());
    return absl::Now() - began >= absl::Milliseconds(30);
  };
  f.server.LoseNextRequest("create", "configmaps", 2);
  CHECK(takes_long([&] { return log.Open(1, true, {}).status(); }));
  f.server.LoseNextRequest("get", "configmaps", 4);
  CHECK(takes_long([&] { return log.CheckOurs({}); }));
  f.server.LoseNextRequest("update", "configmaps");
  f.server.LoseNextRequest("get", "configmaps");
  CHECK(takes_long([&] { return log.Write(f.Content("a"), {}); }));
}

TEST_CASE("ledger object: what somebody put beside the ledger is taken away", "[quota][log]") {
  Fixture f;
  REQUIRE(f.Object("one").Open(1, true, {}).ok());
  const kube::ObjectKey key{"korder-system", "korder-quota-ledger"};
  REQUIRE(f.client.Patch<api::ConfigMap>(key, {}, R"({"binaryData":{"more":"AAAA"}})").ok());
  REQUIRE(f.Object("two").Open(2, false, {}).ok());
  CHECK(f.client.Get<api::ConfigMap>(key)->binary_data.empty());
}

TEST_CASE("ledger object: a look tells whether a leader still leads", "[quota][log]") {
  Fixture f;
  LedgerObject log = f.Object("one");
  REQUIRE(log.Open(1, true, {}).ok());
  REQUIRE(log.Write(f.Content("a"), {}).ok());
  CHECK(log.CheckOurs({}).ok());
  SECTION("also when answers are lost") {
    f.server.LoseNextResponse("get", "configmaps");
    f.server.LoseNextRequest("get", "configmaps", 2);
    f.server.FailNext("get", "configmaps", 500);
    CHECK(log.CheckOurs({}).ok());
  }
  SECTION("also after somebody changed what is no concern of ours") {
    REQUIRE(f.client
                .Patch<api::ConfigMap>({"korder-system", "korder-quota-ledger"}, {},
                                       R"({"metadata":{"labels":{"seen":"yes"}}})")
                .ok());
    CHECK(log.CheckOurs({}).ok());
    CHECK(log.Write(f.Content("ab"), {}).ok());
  }
  SECTION("not after another one opened it") {
    LedgerObject other = f.Object("two");
    REQUIRE(other.Open(2, false, {}).ok());
    CHECK(absl::IsFailedPrecondition(log.CheckOurs({})));
  }
  SECTION("not after it was damaged") {
    f.Damage("gone");
    CHECK(absl::IsFailedPrecondition(log.CheckOurs({})));
  }
  SECTION("not after it was removed") {
    REQUIRE(f.client.Delete<api::ConfigMap>({"korder-system", "korder-quota-ledger"}).ok());
    CHECK(absl::IsFailedPrecondition(log.CheckOurs({})));
  }
  SECTION("and not for ever, when it is to stop") {
    std::stop_source stop;
    stop.request_stop();
    CHECK(absl::IsCancelled(log.CheckOurs(stop.get_token())));
  }
}

TEST_CASE("ledger object: a write whose answer is lost is found out, not done twice or given up",
          "[quota][log]") {
  Fixture f;
  LedgerObject log = f.Object("one");
  REQUIRE(log.Open(1, true, {}).ok());
  f.server.LoseNextResponse("update", "configmaps");
  CHECK(log.Write(f.Content("a"), {}).ok());
  CHECK(f.Durable() == "a");
  f.server.LoseNextRequest("update", "configmaps", 2);
  CHECK(log.Write(f.Content("ab"), {}).ok());
  CHECK(f.Durable() == "ab");
  f.server.LoseNextResponse("update", "configmaps");
  f.server.LoseNextRequest("get", "configmaps", 3);
  CHECK(log.Write(f.Content("abc"), {}).ok());
  CHECK(f.Durable() == "abc");
  f.server.FailNext("update", "configmaps", 500);
  CHECK(log.Write(f.Content("abcd"), {}).ok());
  CHECK(f.Durable() == "abcd");
}

TEST_CASE("ledger object: the first write of a term survives lost answers, too", "[quota][log]") {
  Fixture f;
  LedgerObject log = f.Object("one");
  f.server.LoseNextResponse("create", "configmaps");
  const auto opened = log.Open(1, true, {});
  REQUIRE(opened.ok());
  CHECK_FALSE(opened->damage);
  CHECK_FALSE(opened->image.closed_until);
  CHECK(log.Write(f.Content("a"), {}).ok());
}

TEST_CASE(
    "ledger object: an object that was removed or edited by hand is reported, and nothing new is "
    "granted for as long as a grant lives",
    "[quota][log]") {
  Fixture f;
  LedgerObject log = f.Object("one");
  REQUIRE(log.Open(1, true, {}).ok());
  REQUIRE(log.Write(f.Content("ab"), {}).ok());
  std::string want;
  SECTION("removed") {
    REQUIRE(f.client.Delete<api::ConfigMap>({"korder-system", "korder-quota-ledger"}).ok());
    want = "the object is missing";
  }
  SECTION("edited") {
    f.Damage("korder-ledger 1 crc32=00000000\\nepoch 1\\nend\\n");
    want = "checksum";
  }
  SECTION("emptied") {
    f.Damage("");
    want = "";
  }
  // Who led notices at the next write and decides nothing more.
  CHECK(absl::IsFailedPrecondition(log.Write(f.Content("abc"), {})));
  LedgerObject next = f.Object("one");
  const auto opened = next.Open(2, false, {});
  REQUIRE(opened.ok());
  REQUIRE(opened->damage.has_value());
  CHECK_THAT(*opened->damage, Catch::Contains(want));
  CHECK(opened->image.grants.empty());
  CHECK(opened->image.closed_until == f.clock.Now() + absl::Seconds(60));
  // The waiting time is itself durable: a second crash does not shorten it.
  f.clock.Advance(absl::Seconds(10));
  LedgerObject third = f.Object("two");
  const auto again = third.Open(3, false, {});
  REQUIRE(again.ok());
  CHECK_FALSE(again->damage);
  CHECK(again->image.closed_until == f.clock.Now() + absl::Seconds(50));
}

}  // namespace korder::quota
