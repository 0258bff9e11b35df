// What our own writes returned, until the watch has caught up with it: a decision is never based on
// an object older than one that this process already acted on.
//
//   recent.Wrote(*client.Patch<api::Pod>(...));
//   auto pod = recent.Newest(key, store.Get(key));
//   informer.OnChange([&](auto* was, auto* is) { recent.OnChange(was, is); ... });   // first
//
// Versions are compared as numbers (kube/resource_version.h). Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/object_key.h"
#include "kube/resource_version.h"

namespace korder::ticket {

template <class T>
class Recent {
 public:
  using Ptr = std::shared_ptr<const T>;

  // Borrows the clock.
  explicit Recent(const Clock& clock) : clock_(clock) {}

  // The server's answer to a create, update, patch or get.
  Ptr Wrote(T object) {
    const auto shared = std::make_shared<const T>(std::move(object));
    Note(kube::KeyOf(*shared), {shared, shared->metadata.uid, VersionOf(*shared), clock_.Mono()});
    return shared;
  }
  // The server has removed the object.
  void Deleted(const kube::ObjectKey& key, const std::string& uid) {
    Note(key, {nullptr, uid, 0, clock_.Mono()});
  }

  // The newer of what the watch has shown and what we wrote; null when the newest is that it is
  // gone.
  Ptr Newest(const kube::ObjectKey& key, Ptr stored) const {
    const MutexLock lock(mu_);
    const auto it = entries_.find(key);
    if (it == entries_.end()) {
      return stored;
    }
    const Entry& entry = it->second;
    if (!entry.object) {
      return stored && stored->metadata.uid == entry.uid ? nullptr : stored;
    }
    if (!stored) {
      // The watch has not shown it yet, or has shown its end in a list that we did not see.
      return IsOld(entry) ? nullptr : entry.object;
    }
    return VersionOf(*stored) >= entry.version ? stored : entry.object;
  }

  // An informer's handler: forgets what the watch has caught up with.
  void OnChange(const T* was, const T* is) {
    const MutexLock lock(mu_);
    const auto it = entries_.find(kube::KeyOf(is != nullptr ? *is : *was));
    if (it == entries_.end()) {
      return;
    }
    const Entry& entry = it->second;
    const bool gone = is == nullptr && was->metadata.uid == entry.uid;
    const bool caught_up = is != nullptr && (entry.object ? VersionOf(*is) >= entry.version
                                                          : is->metadata.uid != entry.uid);
    if (gone || caught_up) {
      entries_.erase(it);
    }
  }

  // Those of which `wanted(object)` is true among what the watch may not have shown yet.
  template <class Wanted>
  std::vector<Ptr> Those(const Wanted& wanted) const {
    const MutexLock lock(mu_);
    std::vector<Ptr> those;
    for (const auto& [key, entry] : entries_) {
      if (entry.object && wanted(*entry.object)) {
        those.push_back(entry.object);
      }
    }
    return those;
  }

 private:
  struct Entry {
    Ptr object;  // null: deleted
    std::string uid;
    uint64_t version = 0;
    MonoTime at;
  };
  static constexpr auto kMemory = std::chrono::seconds(10);

  // 0 when it is not a number, which is older than everything.
  static uint64_t VersionOf(const T& object) {
    return kube::VersionNumber(object.metadata.resource_version).value_or(0);
  }

  bool IsOld(const Entry& entry) const { return clock_.Mono() - entry.at > kMemory; }

  void Note(const kube::ObjectKey& key, Entry entry) {
    const MutexLock lock(mu_);
    Entry& there = entries_[key];
    // Two answers may come out of order.
    if (!there.object || !entry.object || there.version <= entry.version) {
      there = std::move(entry);
    }
    if (entries_.size() > sweep_at_) {
      absl::erase_if(entries_, [this](const auto& item) { return IsOld(item.second); });
      sweep_at_ = std::max<size_t>(64, 2 * entries_.size());
    }
  }

  const Clock& clock_;
  mutable Mutex mu_;
  absl::flat_hash_map<kube::ObjectKey, Entry> entries_ ABSL_GUARDED_BY(mu_);
  size_t sweep_at_ ABSL_GUARDED_BY(mu_) = 64;
};

}  // namespace korder::ticket
