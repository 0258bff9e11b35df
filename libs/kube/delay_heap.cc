#include "kube/delay_heap.h"

namespace korder::kube {

void DelayHeap::Push(const ObjectKey& key, MonoTime at) {
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    const Ordered::const_iterator entry = *known;
    if (entry->first <= at) {
      return;
    }
    by_key_.erase(known);
    ordered_.erase(entry);
  }
  by_key_.insert(ordered_.emplace(at, key).first);
}

std::optional<DelayHeap::Due> DelayHeap::PopReady(MonoTime now) {
  if (ordered_.empty() || ordered_.begin()->first > now) {
    return std::nullopt;
  }
  by_key_.erase(by_key_.find(ordered_.begin()->second));
  auto node = ordered_.extract(ordered_.begin());
  return Due{std::move(node.value().second), node.value().first};
}

std::optional<MonoTime> DelayHeap::NextDeadline() const {
  return ordered_.empty() ? std::nullopt : std::optional<MonoTime>(ordered_.begin()->first);
}

}  // namespace korder::kube
