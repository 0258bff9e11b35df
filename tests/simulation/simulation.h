// One run: the four services, people, and everything that goes wrong, from one seed; and what to do
// with a run that found something.
//
//   const Outcome outcome = Simulate({.seed = 7, .steps = 500});
//   if (outcome.broken) { std::cout << ReplayLine(Shrink(settings)); }
//
// A step is a request that the API server serves, a call of quota-svc, or something that people or
// fate do to the cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "faults.h"
#include "invariants.h"

namespace korder::simulation {

struct Settings {
  uint64_t seed = 1;
  int steps = 500;  // until everything is left in peace
  FaultKinds faults = AllFaults();
  bool verbose = false;  // every change is told on standard error
};

struct Outcome {
  std::optional<Broken> broken;
  uint64_t history = 0;  // a hash of everything that happened
  int64_t steps = 0;     // with those until all was at rest
  int64_t writes = 0;
  int64_t crashes = 0;
  int64_t handoffs = 0;
  int64_t known_losses = 0;
  absl::Duration lasted;  // by the machine's clock
};

Outcome Simulate(const Settings& settings);

// The same failure with fewer faults and steps, if there is one.
Settings Shrink(const Settings& failing);

// What to type to see it again.
std::string ReplayLine(const Settings& settings);

}  // namespace korder::simulation
