// Figures that have a gate, which a change must not break, and a goal.
//
//   const std::vector<Judged> judged = {
//       {"P6 handler p99, ms", Once(1.2), "<= 5", "<= 2"},
//       {"P6 rate", RatioOf(korder, null), ">= 0.90", ">= 0.98", "a webhook that says yes"}};
//   PrintJudged(judged);
//
// Whether gate and goal are reached is said by report.py, for all parts of a run alike.
#pragma once

#include <string>
#include <vector>

#include "figures.h"
#include "json/writer.h"

namespace korder::bench {

struct Judged {
  std::string name;
  Spread value;
  std::string gate;  // empty: none
  std::string goal;
  std::string beside = {};  // what it was measured beside; empty: nothing
};

// A table on stdout.
void PrintJudged(const std::vector<Judged>& judged);
// As an array.
void Write(json::Writer& w, const std::vector<Judged>& judged);

}  // namespace korder::bench
