// Random numbers from a seed: the same in every run, on every machine, with every library.
//
//   Dice dice(seed, "network");    // another purpose, other numbers
//   if (dice.Chance(0.1)) { ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace korder::simulation {

class Dice {
 public:
  Dice(uint64_t seed, std::string_view purpose) : state_(seed * 0x9E3779B97F4A7C15 + 1) {
    for (const char c : purpose) {
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    }
    Next();
  }

  uint32_t Word() { return static_cast<uint32_t>(Next() >> 32); }
  // 0 to bound - 1.
  size_t Below(size_t bound) { return bound < 2 ? 0 : static_cast<size_t>(Next() % bound); }
  int Between(int low, int high) {
    return low + static_cast<int>(Below(static_cast<size_t>(high - low + 1)));
  }
  bool Chance(double probability) { return Word() < probability * 4294967296.0; }
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    return low + absl::Nanoseconds(static_cast<int64_t>(
                     Below(static_cast<size_t>(absl::ToInt64Nanoseconds(high - low) + 1))));
  }
  // Mostly short, now and then long: how computers take their time.
  absl::Duration Latency(absl::Duration usual, absl::Duration longest) {
    return Chance(0.03) ? Between(usual, longest) : Between(usual / 8, usual);
  }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

 private:
  uint64_t Next() {  // splitmix64
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace korder::simulation
