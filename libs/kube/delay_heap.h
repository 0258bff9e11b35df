// Keys that become due at a time. Pure: the caller brings `now`.
//
//   heap.Push(key, now + std::chrono::seconds(5));
//   while (std::optional<DelayHeap::Due> due = heap.PopReady(now)) { Handle(due->key); }
//
// A key is in it once: of two times the earlier counts. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

  void Push(const ObjectKey& key, MonoTime at);
  // Takes out the key that is due for the longest; nullopt when none is due at `now`.
  std::optional<Due> PopReady(MonoTime now);
  std::optional<MonoTime> NextDeadline() const;
  size_t size() const { return ordered_.size(); }

 private:
  // Both hold the same pairs.
  std::set<std::pair<MonoTime, ObjectKey>> ordered_;
  absl::flat_hash_map<ObjectKey, MonoTime> deadlines_;
};

}  // namespace korder::kube
