// Keys that become due at a time. Pure: the caller brings `now`.
//
//   heap.Push(key, now + std::chrono::seconds(5));
//   while (std::optional<ObjectKey> due = heap.PopReady(now)) { ... }
//
// A key is in it once: of two times the earlier counts.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "kube/object_key.h"

namespace korder::kube {

class DelayHeap {
 public:
  void Push(const ObjectKey& key, MonoTime at) {
    const auto it = at_.find(key);
    if (it != at_.end()) {
      if (it->second <= at) {
        return;
      }
      due_.erase({it->second, key});
    }
    at_[key] = at;
    due_[{at, key}] = true;
  }
  std::optional<ObjectKey> PopReady(MonoTime now) {
    if (due_.empty() || due_.begin()->first.first > now) {
      return std::nullopt;
    }
    ObjectKey key = due_.begin()->first.second;
    due_.erase(due_.begin());
    at_.erase(key);
    return key;
  }
  std::optional<MonoTime> NextDeadline() const {
    return due_.empty() ? std::nullopt : std::optional<MonoTime>(due_.begin()->first.first);
  }
  bool empty() const { return due_.empty(); }
  size_t size() const { return due_.size(); }

 private:
  std::map<std::pair<MonoTime, ObjectKey>, bool> due_;
  absl::flat_hash_map<ObjectKey, MonoTime> at_;
};

}  // namespace korder::kube
