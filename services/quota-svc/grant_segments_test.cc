#include "quota-svc/grant_segments.h"

#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "quota-svc/ledger_codec.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;

const ClaimPtr& SomeClaim() {
  static const ClaimPtr claim = MakeClaim().With("cpu", "500m").Share();
  return claim;
}

GrantChange Put(const std::string& id) { return {id, Grant{id, SomeClaim(), "", kNow}}; }
GrantChange Erase(const std::string& id) { return {id, std::nullopt}; }

std::string Written(GrantSegments& segments, const std::vector<GrantChange>& changes) {
  const auto dirty = segments.Apply(changes);
  if (!dirty.ok()) {
    return std::string(Message(dirty.status()));
  }
  for (const size_t segment : *dirty) {
    segments.Written(segment, Encode({.grants = segments.Grants(segment)}).size());
  }
  return absl::StrJoin(*dirty, ",");
}

// Segments of about four grants.
constexpr SegmentLimits kSmall = {.count = 3, .soft_bytes = 400, .hard_bytes = 800};

}  // namespace

TEST_CASE("grant segments: new grants fill one after the other", "[quota][segments]") {
  GrantSegments segments(kSmall);
  CHECK(Written(segments, {}).empty());
  CHECK(Written(segments, {Put("a")}) == "0");
  while (Written(segments, {Put(absl::StrCat("a", segments.Grants(0).size()))}) == "0") {
  }
  CHECK(segments.count() == 2);
  CHECK(segments.Grants(0).size() > 2);
  CHECK(Written(segments, {Put("b")}) == "1");
  // What changes, changes in its place.
  CHECK(Written(segments, {Put("a")}) == "0");
}

TEST_CASE("grant segments: what only lost grants is written first", "[quota][segments]") {
  GrantSegments segments(kSmall);
  segments.Load(0, {{"a", SomeClaim(), "", kNow}, {"b", SomeClaim(), "", kNow}});
  segments.Load(1, {{"c", SomeClaim(), "", kNow}, {"d", SomeClaim(), "", kNow}});
  CHECK(segments.count() == 2);
  CHECK(Written(segments, {Put("a"), Erase("d")}) == "1,0");
  CHECK(Written(segments, {Put("c"), Erase("b")}) == "0,1");
  CHECK(Written(segments, {Erase("a"), Put("e")}) == "0");
  CHECK(Written(segments, {Erase("a")}).empty());
  CHECK(Written(segments, {Erase("nobody")}).empty());
}

TEST_CASE("grant segments: one that emptied is filled again before a new one is opened",
          "[quota][segments]") {
  GrantSegments segments(kSmall);
  int next = 0;
  while (segments.count() < 2) {
    Written(segments, {Put(absl::StrCat("a", next++))});
  }
  std::vector<GrantChange> gone;
  for (const Grant& grant : segments.Grants(0)) {
    gone.push_back(Erase(grant.id));
  }
  CHECK(Written(segments, gone) == "0");
  for (int i = 0; i < 5; ++i) {
    Written(segments, {Put(absl::StrCat("b", i))});
  }
  CHECK(segments.count() == 2);
  CHECK_FALSE(segments.Grants(0).empty());
}

TEST_CASE("grant segments: each takes what fits to the last byte, the first of the smallest first",
          "[quota][segments]") {
  const size_t one = EncodedBytes(*Put("a").grant) + EncodedBytes(*SomeClaim());
  const auto place = [](GrantSegments& segments, const std::string& ids) {
    std::string places;
    for (const char id : ids) {
      const auto dirty = segments.Apply({Put(std::string(1, id))});
      places += dirty.ok() ? absl::StrJoin(*dirty, ",") : "-";
    }
    return places;
  };
  GrantSegments two({.count = 2, .soft_bytes = 2 * one, .hard_bytes = 3 * one});
  CHECK(place(two, "abcdefg") == "001101-");
  GrantSegments three({.count = 3, .soft_bytes = 2 * one, .hard_bytes = 3 * one});
  CHECK(place(three, "abcd") == "0011");
  REQUIRE(three.Apply({Erase("b")}).ok());
  three.Written(0, one);
  CHECK(place(three, "ef") == "02");
  // What is open is filled before one that has become empty.
  GrantSegments open({.count = 3, .soft_bytes = 2 * one, .hard_bytes = 3 * one});
  CHECK(place(open, "abc") == "001");
  REQUIRE(open.Apply({Erase("a"), Erase("b")}).ok());
  open.Written(0, 0);
  CHECK(place(open, "d") == "1");
}

TEST_CASE("grant segments: beyond what is comfortable the smallest grows, until all are full",
          "[quota][segments]") {
  GrantSegments segments(kSmall);
  int put = 0;
  std::string written;
  for (; put < 100 && !written.starts_with("the objects"); ++put) {
    written = Written(segments, {Put(absl::StrCat("a", put))});
  }
  CHECK(written == "the objects of the ledger are full");
  CHECK(segments.count() == 3);
  CHECK(put > 12);
}

TEST_CASE("grant segments: a batch stays together also when all objects are large",
          "[quota][segments]") {
  GrantSegments segments({.count = 4, .soft_bytes = 2000, .hard_bytes = 100'000});
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<GrantChange> changes;
    for (int i = 0; i < 8; ++i) {
      changes.push_back(Put(absl::StrCat("id-", batch, "-", i)));
    }
    CHECK(Written(segments, changes).size() <= 3);  // "0,1"
  }
  CHECK(segments.count() == 4);
}

TEST_CASE("grant segments: together they hold what was put and not erased, each within its size",
          "[quota][segments]") {
  std::mt19937 random(5);
  GrantSegments segments({.count = 64, .soft_bytes = 2000, .hard_bytes = 4000});
  std::set<std::string> want;
  for (int round = 0; round < 500; ++round) {
    std::vector<GrantChange> changes;
    std::set<std::string> touched;
    for (int i = 0; i < 20; ++i) {
      const std::string id = absl::StrCat("id-", random() % 600);
      if (touched.insert(id).second) {
        changes.push_back(random() % 2 == 0 ? Put(id) : Erase(id));
        changes.back().grant ? want.insert(id).second : want.erase(id) > 0;
      }
    }
    REQUIRE_THAT(Written(segments, changes), !Catch::StartsWith("the"));
    std::set<std::string> held;
    size_t count = 0;
    for (size_t segment = 0; segment < segments.count(); ++segment) {
      const std::vector<Grant> grants = segments.Grants(segment);
      count += grants.size();
      for (const Grant& grant : grants) {
        held.insert(grant.id);
      }
      REQUIRE(Encode({.grants = grants}).size() <= 3200);
    }
    REQUIRE(held == want);
    REQUIRE(count == want.size());
  }
}

}  // namespace korder::quota
