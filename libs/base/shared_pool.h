// Keeps one copy of each value: of many that are equal, thousands of objects share one.
//
//   SharedPool<Claim> pool;
//   std::shared_ptr<const Claim> shared = pool.Intern(std::move(claim));
//
//   ticket.claim = SharedInProcess(std::move(claim));   // any thread
//
// The values need AbslHashValue and ==. One that nobody shares any more goes with a later Intern.
// A pool is not thread-safe; SharedInProcess is.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "base/mutex.h"

namespace korder {

template <class T>
class SharedPool {
 public:
  using Ptr = std::shared_ptr<const T>;

  // Equal values give the same object.
  Ptr Intern(T value) {
    if (const auto it = values_.find(value); it != values_.end()) {
      return *it;
    }
    if (values_.size() >= purge_at_) {
      absl::erase_if(values_, [](const Ptr& kept) { return kept.use_count() == 1; });
      purge_at_ = 2 * values_.size() + 64;
    }
    return *values_.insert(std::make_shared<const T>(std::move(value))).first;
  }
  size_t size() const { return values_.size(); }

 private:
  static const T& Value(const T& value) { return value; }
  static const T& Value(const Ptr& kept) { return *kept; }
  struct Hash {
    using is_transparent = void;
    template <class V>
    size_t operator()(const V& value) const {
      return absl::HashOf(Value(value));
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Value(a) == Value(b);
    }
  };

  absl::flat_hash_set<Ptr, Hash, Equal> values_;
  size_t purge_at_ = 64;
};

// The one copy that the whole process has of the value: several watches read at the same time.
template <class T>
std::shared_ptr<const T> SharedInProcess(T value) {
  static Mutex mu;
  static auto& pool = *new SharedPool<T>;
  const MutexLock lock(mu);
  return pool.Intern(std::move(value));
}

}  // namespace korder
