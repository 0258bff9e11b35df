// A metric family whose series are found by label values without taking the family's own lock or
// building its label map: what is called for every request uses this. What has fixed labels should
// rather resolve its handles once and keep them.
//
//   Labeled<prometheus::Counter, 2> calls(prometheus::BuildCounter().Name("korder_calls_total")
//                                             .Help("...").Register(registry), {"verb", "code"});
//   calls.With({"get", "200"}).Increment();
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <prometheus/family.h>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "base/mutex.h"

namespace korder::runtime {

// Thread-safe. Series are never removed, so a reference that With returned stays valid.
template <class T, size_t N>
class Labeled {
 public:
  using Values = std::array<std::string_view, N>;

  // `args` go to the constructor of every series, for instance a histogram's buckets.
  template <class... Args>
  Labeled(prometheus::Family<T>& family, std::array<const char*, N> names, Args... args)
      : names_(names), add_([&family, args...](const std::map<std::string, std::string>& labels) {
          return &family.Add(labels, args...);
        }) {}

  // The series with these label values, made at zero when it is new.
  T& With(const Values& values) {
    const MutexLock lock(mu_);
    if (const auto it = series_.find(values); it != series_.end()) {
      return *it->second;
    }
    std::map<std::string, std::string> labels;
    std::array<std::string, N> key;
    for (size_t i = 0; i < N; ++i) {
      labels.emplace(names_[i], values[i]);
      key[i] = values[i];
    }
    T* made = add_(labels);
    series_.emplace(std::move(key), made);
    return *made;
  }

 private:
  // Looking up by string_view must not allocate.
  struct Hash {
    using is_transparent = void;
    template <class Array>
    size_t operator()(const Array& values) const {
      Values views;
      for (size_t i = 0; i < N; ++i) {
        views[i] = values[i];
      }
      return absl::HashOf(views);
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      for (size_t i = 0; i < N; ++i) {
        if (std::string_view(a[i]) != std::string_view(b[i])) {
          return false;
        }
      }
      return true;
    }
  };

  const std::array<const char*, N> names_;
  const std::function<T*(const std::map<std::string, std::string>&)> add_;
  Mutex mu_;
  absl::flat_hash_map<std::array<std::string, N>, T*, Hash, Equal> series_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::runtime
