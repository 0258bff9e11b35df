#include "singles.h"

#include <set>

#include <catch2/catch.hpp>

#include "base/log.h"
#include "end_state.h"

namespace korder::simulation {
namespace {

TEST_CASE("single faults: one is told by name and read back", "[simulation]") {
  const Single single{
      .fate = Network::Fate::kCrashAfter, .site = "quota-svc:PUT configmaps", .ordinal = 3};
  CHECK(TextOf(single) == "crash-after:quota-svc:PUT configmaps#3");
  CHECK(ParseSingle(TextOf(single)) == single);
  for (const char* text : {"", "crash-after:#1", "crash-after:quota-svc:PUT configmaps",
                           "burned:quota-svc:PUT configmaps#3", "lost:quota-svc:Reserve#0"}) {
    INFO(text);
    CHECK_FALSE(ParseSingle(text));
  }
}

TEST_CASE("single faults: the sample has every call site with everything that may happen there",
          "[simulation]") {
  Play peace;
  for (int i = 1; i <= 9; ++i) {
    peace.sent.push_back({"ticket-svc:POST pods", i, ""});
  }
  peace.sent.push_back({"quota-svc:POST leases", 1, ""});
  CHECK(AllSingles(peace).size() == 10 * kSingleKinds.size());
  std::set<int> ordinals;
  std::set<Network::Fate> fates;
  for (const Single& single : SampleSingles(peace)) {
    if (single.site == "ticket-svc:POST pods") {
      ordinals.insert(single.ordinal);
      fates.insert(single.fate);
    }
  }
  CHECK(ordinals == std::set<int>{1, 5, 9});
  CHECK(fates.size() == kSingleKinds.size());
  // Where time ends it early, no call site is left out.
  CHECK(SampleSingles(peace)[0].site != SampleSingles(peace)[1].site);
}

TEST_CASE("single faults: another end than in peace is told line by line", "[simulation]") {
  const Play peace{.end = {"order web: wants 2", "pod a: Running"}};
  const Play play{.end = {"order web: wants 2", "pod a: Pending"}, .struck = 1};
  const auto wrong = WhatIsWrong(play, peace, 1);
  REQUIRE(wrong);
  CHECK(wrong->what ==
        "the end is another one than in peace:\n  - pod a: Running\n  + pod a: Pending");
  CHECK_FALSE(WhatIsWrong({.end = peace.end, .struck = 1}, peace, 1));
}

TEST_CASE("single faults: a message that is never sent does not pass for one that was survived",
          "[simulation]") {
  log::Silence();
  const Play peace = PlayScenario({}, {});
  REQUIRE_FALSE(peace.broken);
  const Play play = PlayScenario({}, {*ParseSingle("lost:quota-svc:PUT configmaps#4711")});
  CHECK(WhatIsWrong(play, peace, 1));
  // And nothing went wrong, so it is the same play.
  CHECK(play.end == peace.end);
  CHECK(play.sent.size() == peace.sent.size());
  CHECK(play.lasted == peace.lasted);
}

}  // namespace
}  // namespace korder::simulation
