// Makes wrong inputs of right ones, for fuzzers: by bytes, and by what text formats are made of.
//
//   Mutator mutator(corpus, /*seed=*/1);
//   const std::string input = mutator.Make(4711);    // the same for the same corpus, seed and
//   number
//
// Deterministic, so that a number is enough to see again what went wrong. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace korder::fuzz {

class Mutator {
 public:
  // REQUIRES: the corpus is not empty.
  Mutator(std::vector<std::string> corpus, uint64_t seed);

  // Examples come first, unchanged; then mutants of them, one step away or a few.
  std::string Make(uint64_t number);

 private:
  void Step(std::string& text);
  // A line goes, comes twice, or stands elsewhere.
  void MoveLine(std::string& text, size_t at);
  size_t Below(size_t bound);  // 0 when bound is 0
  const std::string& Example() { return corpus_[Below(corpus_.size())]; }

  const std::vector<std::string> corpus_;
  // What stands between quotes in the corpus: names of fields, and their values.
  std::vector<std::string> words_;
  const uint64_t seed_;
  std::mt19937_64 random_;
};

}  // namespace korder::fuzz
