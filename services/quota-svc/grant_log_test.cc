// The grants on an API server in memory, in more than one object.
#include "quota-svc/grant_log.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::MakeClaim;

struct Fixture {
  GrantLog Log(const std::string& writer) {
    return GrantLog(client, clock,
                    {.writer = writer,
                     .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(2)}},
                    {.count = 8, .soft_bytes = 300, .hard_bytes = 4000});
  }
  // One batch for each id, so that objects fill one after the other.
  absl::Status Put(GrantLog& log, int first, int last) {
    for (int i = first; i <= last; ++i) {
      const std::string id = absl::StrCat("id-", i);
      const absl::Status written = log.Write(
          {{id, Grant{id, claim, "", clock.Now() + absl::Seconds(60)}}}, std::nullopt, {});
      if (!written.ok()) {
        return written;
      }
    }
    return absl::OkStatus();
  }
  static std::string Name(int object) {
    return object == 0 ? "korder-quota-ledger" : absl::StrCat("korder-quota-ledger-", object);
  }
  int Objects() {
    int count = 0;
    while (client.Get<api::ConfigMap>({"korder-system", Name(count)}).ok()) {
      ++count;
    }
    return count;
  }
  LedgerImage Image(int object) {
    return *Decode(client.Get<api::ConfigMap>({"korder-system", Name(object)})->data.at("ledger"));
  }
  void Replace(int object, const LedgerImage& image) {
    api::ConfigMap edited = *client.Get<api::ConfigMap>({"korder-system", Name(object)});
    edited.data["ledger"] = Encode(image);
    REQUIRE(client.Update(edited).ok());
  }
  void Remove(int object) {
    REQUIRE(client.Delete<api::ConfigMap>({"korder-system", Name(object)}).ok());
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
  ClaimPtr claim = MakeClaim().Share();
};

std::string Ids(const LedgerImage& image) {
  std::set<std::string> ids;
  for (const Grant& grant : image.grants) {
    ids.insert(grant.id);
  }
  return absl::StrJoin(ids, " ");
}

}  // namespace

TEST_CASE("grant log: what was written is what the next leader opens with", "[quota][log]") {
  Fixture f;
  GrantLog first = f.Log("one");
  const auto opened = first.Open(1, {});
  REQUIRE(opened.ok());
  CHECK_FALSE(opened->damage);
  CHECK(opened->image.grants.empty());
  REQUIRE(f.Put(first, 1, 9).ok());
  REQUIRE(first.Write({{"id-2", std::nullopt}, {"id-8", std::nullopt}}, std::nullopt, {}).ok());
  CHECK(f.Objects() > 2);
  CHECK(f.Image(0).segments == f.Objects());

  GrantLog second = f.Log("two");
  const auto next = second.Open(2, {});
  REQUIRE(next.ok());
  CHECK_FALSE(next->damage);
  CHECK_FALSE(next->image.closed_until);
  CHECK(next->image.epoch == 2);
  CHECK(Ids(next->image) == "id-1 id-3 id-4 id-5 id-6 id-7 id-9");
  // It goes on where the first one stopped.
  REQUIRE(second.Write({{"id-1", std::nullopt}}, std::nullopt, {}).ok());
  REQUIRE(f.Put(second, 10, 12).ok());
  CHECK(Ids(f.Log("three").Open(3, {})->image) ==
        "id-10 id-11 id-12 id-3 id-4 id-5 id-6 id-7 id-9");
}

TEST_CASE("grant log: a batch writes the object that its grants are in, and no other",
          "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  REQUIRE(f.Put(log, 1, 9).ok());
  f.server.ClearLog();
  REQUIRE(log.Write({{"id-1", std::nullopt}}, std::nullopt, {}).ok());
  CHECK(f.server.Log().size() == 1);
  CHECK(f.server.Log()[0].key.name == f.Name(0));
}

TEST_CASE("grant log: a batch without changes writes nothing, and tells whether we still lead",
          "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  REQUIRE(f.Put(log, 1, 9).ok());
  const int64_t seq = f.Image(0).seq;
  CHECK(log.Write({}, std::nullopt, {}).ok());
  CHECK(f.Image(0).seq == seq);
  SECTION("we do not when another one has opened all") { REQUIRE(f.Log("two").Open(2, {}).ok()); }
  SECTION("nor when it has come as far as the first object") {
    LedgerObject first(f.client, f.clock, {.writer = "two"}, f.Name(0));
    REQUIRE(first.Open(2, false, {}).ok());
  }
  CHECK(absl::IsFailedPrecondition(log.Write({}, std::nullopt, {})));
}

TEST_CASE("grant log: the next leader knows how full each object is", "[quota][log]") {
  Fixture f;
  GrantLog first = f.Log("one");
  REQUIRE(first.Open(1, {}).ok());
  int last = 0;
  while (f.Objects() < 3) {
    ++last;
    REQUIRE(f.Put(first, last, last).ok());
  }
  const auto sizes = [&] {
    return std::vector{f.Image(0).grants.size(), f.Image(1).grants.size(),
                       f.Image(2).grants.size()};
  };
  const std::vector<size_t> full = sizes();
  GrantLog second = f.Log("two");
  REQUIRE(second.Open(2, {}).ok());
  REQUIRE(f.Put(second, last + 1, last + 1).ok());
  CHECK(sizes() == full);
  CHECK(f.Objects() == 4);
}

TEST_CASE("grant log: what was given back makes room", "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  for (int i = 0; i < 20; ++i) {
    REQUIRE(f.Put(log, i, i).ok());
    REQUIRE(log.Write({{absl::StrCat("id-", i), std::nullopt}}, std::nullopt, {}).ok());
  }
  CHECK(f.Objects() == 1);
}

TEST_CASE("grant log: how long nothing is granted is in the first object, and that it is over, too",
          "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  const absl::Time until = f.clock.Now() + absl::Seconds(60);
  f.server.ClearLog();
  REQUIRE(log.Write({{"a", Grant{"a", f.claim, "", until}}}, until, {}).ok());
  CHECK(f.server.Log().size() == 1);
  CHECK(f.Image(0).closed_until == until);
  CHECK(Ids(f.Image(0)) == "a");
  REQUIRE(log.Write({}, std::nullopt, {}).ok());
  CHECK_FALSE(f.Image(0).closed_until);
}

TEST_CASE("grant log: who comes too late is told the epoch of the newer leader", "[quota][log]") {
  Fixture f;
  REQUIRE(f.Log("two").Open(2, {}).ok());
  GrantLog late = f.Log("one");
  CHECK(absl::IsFailedPrecondition(late.Open(1, {}).status()));
  CHECK(late.stored_epoch() == 2);
}

TEST_CASE("grant log: a leader that was replaced can write to no object any more", "[quota][log]") {
  Fixture f;
  GrantLog old_leader = f.Log("one");
  REQUIRE(old_leader.Open(1, {}).ok());
  REQUIRE(f.Put(old_leader, 1, 9).ok());
  const int objects = f.Objects();
  REQUIRE(objects > 2);
  GrantLog new_leader = f.Log("two");
  REQUIRE(new_leader.Open(2, {}).ok());
  const std::string id = f.Image(1).grants[0].id;
  SECTION("in an object that there is") {
    CHECK(absl::IsFailedPrecondition(old_leader.Write({{id, std::nullopt}}, std::nullopt, {})));
    CHECK(f.Image(1).grants[0].id == id);
  }
  SECTION("by opening another object") {
    CHECK(absl::IsFailedPrecondition(f.Put(old_leader, 10, 20)));
    CHECK(f.Image(0).epoch == 2);
    CHECK(f.Image(0).segments == objects);
  }
  CHECK(absl::IsFailedPrecondition(f.Log("one").Open(1, {}).status()));
}

TEST_CASE("grant log: what an older leader wrote before its object was fenced is read",
          "[quota][log]") {
  Fixture f;
  GrantLog old_leader = f.Log("one");
  REQUIRE(old_leader.Open(1, {}).ok());
  REQUIRE(f.Put(old_leader, 1, 9).ok());
  const std::string kept = f.Image(1).grants[0].id;
  // As the new leader has the first object and not yet the second, the old one changes that.
  bool done = false;
  f.server.OnWrite({.before =
                        [&](const kube::ServedCall& call) {
                          if (!done && call.key.name == f.Name(1)) {
                            done = true;
                            CHECK(old_leader.Write({{kept, std::nullopt}}, std::nullopt, {}).ok());
                          }
                        },
                    .after = nullptr});
  const auto opened = f.Log("two").Open(2, {});
  REQUIRE(opened.ok());
  CHECK(done);
  CHECK_FALSE(opened->damage);
  CHECK(opened->image.grants.size() == 8);
  CHECK_THAT(Ids(opened->image), !Catch::Contains(kept));
}

TEST_CASE("grant log: an object that a dead leader made and never used is taken over empty",
          "[quota][log]") {
  Fixture f;
  GrantLog first = f.Log("one");
  REQUIRE(first.Open(1, {}).ok());
  // It dies after it made the second object, before the first one knows.
  int updates = 0;
  f.server.OnWrite({.before =
                        [&](const kube::ServedCall& call) {
                          if (f.Objects() == 2 && call.key.name == f.Name(0)) {
                            ++updates;
                            f.server.FailNext("update", "configmaps", 403);
                          }
                        },
                    .after = nullptr});
  CHECK_FALSE(f.Put(first, 1, 9).ok());
  f.server.OnWrite({});
  REQUIRE(f.Objects() == 2);
  REQUIRE(f.Image(0).segments == 1);
  GrantLog second = f.Log("two");
  const auto opened = second.Open(2, {});
  REQUIRE(opened.ok());
  CHECK_FALSE(opened->damage);
  const size_t before = opened->image.grants.size();
  REQUIRE(f.Put(second, 20, 29).ok());
  CHECK(f.Log("three").Open(3, {})->image.grants.size() == before + 10);
}

TEST_CASE(
    "grant log: of damage to one object the others' grants survive, and nothing new is "
    "granted for as long as a grant lives",
    "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  REQUIRE(f.Put(log, 1, 9).ok());
  const size_t lost = f.Image(1).grants.size();
  const auto whole = f.client.Get<api::ConfigMap>({"korder-system", f.Name(1)});
  std::string want;
  SECTION("removed") {
    f.Remove(1);
    want = "object 1: the object is missing";
  }
  SECTION("edited") {
    api::ConfigMap edited = *whole;
    edited.data["ledger"] += "x";
    REQUIRE(f.client.Update(edited).ok());
    want = "object 1: its checksum is wrong";
  }
  SECTION("a copy of another one") {
    f.Replace(1, f.Image(0));
    want = "object 1: holds what another one holds, too";
  }
  SECTION("with a second grant for a ticket that has one") {
    const std::string ticket = "ticket-of-two";
    for (const int object : {0, 1}) {
      LedgerImage image = f.Image(object);
      image.grants.front().ticket_uid = ticket;
      f.Replace(object, image);
    }
    want = "object 1: holds what another one holds, too";
  }
  const auto opened = f.Log("two").Open(2, {});
  REQUIRE(opened.ok());
  CHECK(opened->damage == want);
  CHECK(opened->image.grants.size() == 9 - lost);
  CHECK(opened->image.closed_until == f.clock.Now() + absl::Seconds(60));
  // That is durable: a second crash does not shorten it, and the damage is gone.
  f.clock.Advance(absl::Seconds(10));
  const auto again = f.Log("three").Open(3, {});
  REQUIRE(again.ok());
  CHECK_FALSE(again->damage);
  CHECK(again->image.grants.size() == 9 - lost);
  CHECK(again->image.closed_until == f.clock.Now() + absl::Seconds(50));
}

TEST_CASE("grant log: when the first object is lost nothing is granted, whatever the others say",
          "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  REQUIRE(f.Put(log, 1, 9).ok());
  f.Remove(0);
  GrantLog next = f.Log("two");
  const auto opened = next.Open(2, {});
  REQUIRE(opened.ok());
  CHECK(opened->damage == "the object is missing");
  CHECK(opened->image.grants.empty());
  CHECK(opened->image.closed_until == f.clock.Now() + absl::Seconds(60));
  // The objects that are left over are used again, without what they held.
  REQUIRE(f.Put(next, 20, 29).ok());
  CHECK(f.Log("three").Open(3, {})->image.grants.size() == 10);
}

TEST_CASE("grant log: what the first leader ever lost while it led is lost, not new",
          "[quota][log]") {
  Fixture f;
  GrantLog log = f.Log("one");
  REQUIRE(log.Open(1, {}).ok());
  REQUIRE(f.Put(log, 1, 2).ok());
  f.Remove(0);
  CHECK(absl::IsFailedPrecondition(f.Put(log, 3, 3)));
  // Its next term has the same epoch.
  GrantLog next(f.client, f.clock, {.writer = "one", .may_be_new = false});
  const auto opened = next.Open(1, {});
  REQUIRE(opened.ok());
  CHECK(opened->damage == "the object is missing");
  CHECK(opened->image.closed_until == f.clock.Now() + absl::Seconds(60));
}

}  // namespace korder::quota
