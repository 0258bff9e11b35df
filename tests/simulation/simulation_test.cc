#include "simulation.h"

#include <catch2/catch.hpp>

#include "base/log.h"

namespace korder::simulation {
namespace {

TEST_CASE("simulation: the same seed makes the same history twice", "[simulation]") {
  log::Silence();
  for (const uint64_t seed : {1U, 2U, 3U}) {
    INFO("seed " << seed);
    const Outcome first = Simulate({.seed = seed, .steps = 300});
    const Outcome second = Simulate({.seed = seed, .steps = 300});
    CHECK(first.history == second.history);
    CHECK(first.steps == second.steps);
    CHECK(first.lasted == second.lasted);
  }
}

TEST_CASE("simulation: another seed makes another history", "[simulation]") {
  log::Silence();
  CHECK(Simulate({.seed = 1, .steps = 100}).history != Simulate({.seed = 2, .steps = 100}).history);
}

TEST_CASE("simulation: without faults pods are handed rooms and nothing is broken",
          "[simulation]") {
  log::Silence();
  int64_t handoffs = 0;
  for (const uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    const Outcome outcome = Simulate({.seed = seed, .steps = 500, .faults = {}});
    INFO("seed " << seed << ": " << (outcome.broken ? outcome.broken->what : ""));
    CHECK_FALSE(outcome.broken);
    handoffs += outcome.handoffs;
  }
  CHECK(handoffs > 0);
}

TEST_CASE("simulation: faults are told by name and read back", "[simulation]") {
  CHECK(NamesOf(AllFaults()) == "all");
  CHECK(NamesOf({Fault::kStale, Fault::kCluster}) == "F4,F11");
  CHECK(ParseFaults("F4,F11") == FaultKinds{Fault::kStale, Fault::kCluster});
  CHECK(ParseFaults("none") == FaultKinds{});
  CHECK_FALSE(ParseFaults("F4,F5"));
  CHECK(ReplayLine({.seed = 7, .steps = 120, .faults = {Fault::kCrash}}) ==
        "simulation --seed 7 --steps 120 --faults F2");
}

}  // namespace
}  // namespace korder::simulation
