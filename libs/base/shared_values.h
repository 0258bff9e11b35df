// Keeps one copy of values that are equal: thousands of objects in memory say the same in parts.
//
//   SharedValues<Claim> claims;
//   std::shared_ptr<const Claim> claim = claims.Share(std::move(mine));   // maybe another's
//
// T is hashed by Abseil. What nobody has any more goes, sooner or later. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace korder {

template <class T>
class SharedValues {
 public:
  using Ptr = std::shared_ptr<const T>;

  Ptr Share(T value) {
    const auto it = values_.find(value);
    if (it != values_.end()) {
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
  static const T& ValueOf(const T& value) { return value; }
  static const T& ValueOf(const Ptr& kept) { return *kept; }
  struct Hash {
    using is_transparent = void;
    template <class Value>
    size_t operator()(const Value& value) const {
      return absl::HashOf(ValueOf(value));
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return ValueOf(a) == ValueOf(b);
    }
  };

  absl::flat_hash_set<Ptr, Hash, Equal> values_;
  size_t purge_at_ = 64;
};

}  // namespace korder
