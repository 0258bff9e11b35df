// Keys that become due at a time. Pure: the caller brings `now`.
//
//   heap.Push(key, now + std::chrono::seconds(5));
//   while (std::optional<DelayHeap::Due> due = heap.PopReady(now)) { Handle(due->key); }
//
// A key is in it once: of two times the earlier counts. It is kept once, too: every ticket has a
// time at which it is looked at again. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "base/mono_time.h"
#include "kube/object_key.h"

namespace korder::kube {

class DelayHeap {
 public:
  struct Due {
    ObjectKey key;
    MonoTime at;
    bool operator==(const Due&) const = default;
  };

  DelayHeap() = default;
  DelayHeap(const DelayHeap&) = delete;
  DelayHeap& operator=(const DelayHeap&) = delete;

  void Push(const ObjectKey& key, MonoTime at);
  // Takes out the key that is due for the longest; nullopt when none is due at `now`.
  std::optional<Due> PopReady(MonoTime now);
  std::optional<MonoTime> NextDeadline() const;
  size_t size() const { return ordered_.size(); }

 private:
  using Ordered = std::set<std::pair<MonoTime, ObjectKey>>;

  // Entries are found by their key.
  static const ObjectKey& Key(const ObjectKey& key) { return key; }
  static const ObjectKey& Key(Ordered::const_iterator entry) { return entry->second; }
  struct KeyHash {
    using is_transparent = void;
    template <class Keyed>
    size_t operator()(const Keyed& keyed) const {
      return absl::HashOf(Key(keyed));
    }
  };
  struct KeyEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };

  Ordered ordered_;
  absl::flat_hash_set<Ordered::const_iterator, KeyHash, KeyEqual> by_key_;  // all of them
};

}  // namespace korder::kube
