// Figures that have a gate, which a change must not break, and a goal.
//
//   const std::vector<Judged> judged = {{"P6 handler p99, ms", 1.2, "<= 5", "<= 2"}};
//   PrintJudged(judged);
#pragma once

#include <string>
#include <vector>

#include "json/writer.h"

namespace korder::bench {

struct Judged {
  std::string name;
  double value;
  std::string gate;  // empty: none
  std::string goal;
};

// A table on stdout.
void PrintJudged(const std::vector<Judged>& judged);
// As an array.
void Write(json::Writer& w, const std::vector<Judged>& judged);

}  // namespace korder::bench
