// Decides whether a concurrent history of one quota could have happened one operation after
// another.
//
//   CHECK(IsLinearizable(history, {.limit = 3}));
//
// The search of Wing and Gong with remembered dead ends: operations are put in an order that keeps
// those that did not overlap in theirs, and each must have answered as the quota then stood. An
// operation without an answer may have happened at any time after its call, or never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

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

// REQUIRES: at most 64 operations.
class LinearizabilityChecker {
 public:
  LinearizabilityChecker(std::vector<Operation> history, Rules rules)
      : history_(std::move(history)), rules_(rules) {}

  bool Check() { return Search(0, 0); }

 private:
  static uint64_t Bit(size_t at) { return uint64_t{1} << at; }

  bool Done(uint64_t ordered) const {
    for (size_t i = 0; i < history_.size(); ++i) {
      if ((ordered & Bit(i)) == 0 && history_[i].answer != Operation::Answer::kUnknown) {
        return false;
      }
    }
    return true;
  }
  // Nothing that has not been put in order yet returned before it was called.
  bool MayBeNext(size_t at, uint64_t ordered) const {
    for (size_t i = 0; i < history_.size(); ++i) {
      if (i != at && (ordered & Bit(i)) == 0 && history_[i].answer != Operation::Answer::kUnknown &&
          history_[i].returned < history_[at].called) {
        return false;
      }
    }
    return true;
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
  bool Search(uint64_t ordered, uint32_t held) {
    if (Done(ordered)) {
      return true;
    }
    if (!seen_.insert({ordered, held}).second) {
      return false;
    }
    for (size_t i = 0; i < history_.size(); ++i) {
      if ((ordered & Bit(i)) != 0 || !MayBeNext(i, ordered)) {
        continue;
      }
      for (const uint32_t next : After(history_[i], held)) {
        if (Search(ordered | Bit(i), next)) {
          return true;
        }
      }
    }
    return false;
  }

  const std::vector<Operation> history_;
  const Rules rules_;
  std::set<std::pair<uint64_t, uint32_t>> seen_;
};

inline bool IsLinearizable(std::vector<Operation> history, Rules rules) {
  return LinearizabilityChecker(std::move(history), rules).Check();
}

}  // namespace korder::quota::testing
