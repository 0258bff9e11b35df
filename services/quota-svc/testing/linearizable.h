// Decides whether a concurrent history of one quota could have happened one operation after
// another.
//
//   CHECK(IsLinearizable(history, {.limit = 3}));
//
// The search of Wing and Gong with remembered dead ends: operations are put in an order that keeps
// those that did not overlap in theirs, and each must have answered as the quota then stood. An
// operation without an answer may have happened at any time after its call, or never.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace korder::quota::testing {

struct Operation {
  enum class Kind { kReserve, kRelease };
  enum class Answer { kYes, kNo, kUnknown };
  Kind kind = Kind::kReserve;
  int id = 0;  // 0 to 31
  Answer answer = Answer::kUnknown;
  // Ticks of one counter that all threads share.
  int64_t called = 0;
  int64_t returned = 0;
};

struct Rules {
  int limit = 0;
  // After a leader died: what only it knew is lost. A release that nothing durable followed may be
  // undone, and a refusal may have had a grant in view that nobody was told of.
  bool forgetful = false;
};

// REQUIRES: at most 256 operations.
class LinearizabilityChecker {
 public:
  LinearizabilityChecker(std::vector<Operation> history, Rules rules)
      : history_(std::move(history)), rules_(rules) {
    // What was called first is tried first, and what has no answer last: nearly always right.
    std::stable_sort(history_.begin(), history_.end(), [](const Operation& a, const Operation& b) {
      return std::pair(IsUnknown(a), a.called) < std::pair(IsUnknown(b), b.called);
    });
    known_ = history_.size() -
             static_cast<size_t>(std::count_if(history_.begin(), history_.end(), IsUnknown));
  }

  bool Check() { return Search({}, 0, 0); }

 private:
  using Ordered = std::array<uint64_t, 4>;  // a bit for each operation

  static bool IsUnknown(const Operation& operation) {
    return operation.answer == Operation::Answer::kUnknown;
  }
  static bool Has(const Ordered& ordered, size_t at) {
    return (ordered[at / 64] >> (at % 64) & 1) != 0;
  }
  static Ordered With(Ordered ordered, size_t at) {
    ordered[at / 64] |= uint64_t{1} << (at % 64);
    return ordered;
  }
  // The earliest return of what is not in order yet: nothing that was called later is next.
  // Nothing is left when it never comes. What is before `begin` is in order.
  int64_t FirstReturn(const Ordered& ordered, size_t begin) const {
    int64_t first = kNever;
    for (size_t i = begin; i < known_ && history_[i].called < first; ++i) {
      if (!Has(ordered, i)) {
        first = std::min(first, history_[i].returned);
      }
    }
    return first;
  }
  // The states after the operation, given what it answered.
  std::vector<uint32_t> After(const Operation& operation, uint32_t held) const {
    const uint32_t bit = uint32_t{1} << operation.id;
    if (operation.kind == Operation::Kind::kRelease) {
      std::vector<uint32_t> states = {held & ~bit};
      if (rules_.forgetful) {
        states.push_back(held);
      }
      return states;
    }
    const bool fits = (held & bit) != 0 || __builtin_popcount(held) < rules_.limit;
    std::vector<uint32_t> states;
    if (fits && operation.answer != Operation::Answer::kNo) {
      states.push_back(held | bit);
    }
    if ((!fits || rules_.forgetful) && operation.answer == Operation::Answer::kNo) {
      states.push_back(held);
    }
    return states;
  }
  bool Search(const Ordered& ordered, size_t begin, uint32_t held) {
    while (begin < known_ && Has(ordered, begin)) {
      ++begin;
    }
    const int64_t first_return = FirstReturn(ordered, begin);
    if (first_return == kNever) {
      return true;
    }
    if (!seen_.insert({ordered, held}).second) {
      return false;
    }
    const auto leads_on = [&](size_t at) { return LeadsOn(ordered, begin, held, at); };
    for (size_t i = begin; i < known_ && history_[i].called <= first_return; ++i) {
      if (!Has(ordered, i) && leads_on(i)) {
        return true;
      }
    }
    for (size_t i = known_; i < history_.size() && history_[i].called <= first_return; ++i) {
      if (!Has(ordered, i) && leads_on(i)) {
        return true;
      }
    }
    return false;
  }
  // Whether all the rest can follow when this operation is next.
  bool LeadsOn(const Ordered& ordered, size_t begin, uint32_t held, size_t at) {
    for (const uint32_t next : After(history_[at], held)) {
      // What nobody knows of and what changes nothing need not have happened.
      if ((next != held || at < known_) && Search(With(ordered, at), begin, next)) {
        return true;
      }
    }
    return false;
  }

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::vector<Operation> history_;
  size_t known_ = 0;  // so many of them have an answer, and stand first
  const Rules rules_;
  absl::flat_hash_set<std::pair<Ordered, uint32_t>> seen_;
};

inline bool IsLinearizable(std::vector<Operation> history, Rules rules) {
  return LinearizabilityChecker(std::move(history), rules).Check();
}

}  // namespace korder::quota::testing
