// The scenario, played once in peace to learn every write to the API server and every call between
// services, and then once for each of them and each thing that may become of it.
//
//   const Play peace = PlayScenario({}, {});
//   for (const Single& single : AllSingles(peace)) {
//     const Play play = PlayScenario({}, {single});
//     if (auto wrong = WhatIsWrong(play, peace, 1)) { ... wrong->what ... }
//   }
//
// Up to where it goes wrong a play is the same as in peace, so the name of a message means the same
// message in both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "invariants.h"
#include "single.h"

namespace korder::simulation {

// Where it is played.
struct Stage {
  int kubernetes = 34;  // minor version
  int replicas = 1;     // of each service that elects a leader
  uint64_t seed = 1;
  bool verbose = false;  // every change is told on standard error
};

// A message that was sent.
struct Sent {
  std::string site;
  int ordinal = 1;
  std::string about;
};

struct Play {
  std::optional<Broken> broken;
  std::vector<Sent> sent;
  std::vector<std::string> end;  // what people see
  int struck = 0;                // singles whose message was sent
  int64_t writes = 0;
  int64_t handoffs = 0;
  absl::Duration lasted;  // by the machine's clock
};

Play PlayScenario(const Stage& stage, const std::vector<Single>& singles);

// A broken invariant, less than so many messages that came, or another end than in peace.
std::optional<Broken> WhatIsWrong(const Play& play, const Play& peace, int struck);

// Every message that was sent, with everything that may become of it.
std::vector<Single> AllSingles(const Play& peace);
// Of each call site the first, the middle and the last message, and each kind once. Every call site
// comes once before one of them comes again, so that a part of it is a sample, too.
std::vector<Single> SampleSingles(const Play& peace);
// Two at a time. After the first, the second may never come.
std::vector<std::vector<Single>> RandomPairs(const Play& peace, int count, uint64_t seed);

}  // namespace korder::simulation
