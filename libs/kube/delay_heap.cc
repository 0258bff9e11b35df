#include "kube/delay_heap.h"

namespace korder::kube {

void DelayHeap::Push(const ObjectKey& key, MonoTime at) {
  const auto [it, added] = deadlines_.try_emplace(key, at);
  if (!added) {
    if (it->second <= at) {
      return;
    }
    ordered_.erase({it->second, key});
    it->second = at;
  }
  ordered_.emplace(at, key);
}

std::optional<DelayHeap::Due> DelayHeap::PopReady(MonoTime now) {
  if (ordered_.empty() || ordered_.begin()->first > now) {
    return std::nullopt;
  }
  auto node = ordered_.extract(ordered_.begin());
  deadlines_.erase(node.value().second);
  return Due{std::move(node.value().second), node.value().first};
}

std::optional<MonoTime> DelayHeap::NextDeadline() const {
  return ordered_.empty() ? std::nullopt : std::optional<MonoTime>(ordered_.begin()->first);
}

}  // namespace korder::kube
