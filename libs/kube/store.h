// The in-memory copy of one resource: one writer (an informer), any number of readers.
//
//   store.AddIndex("owner", [](const api::Ticket& t) { return OwnerUids(t); });   // before it
//   fills for (const auto& ticket : store.ByIndex("owner", order.metadata.uid)) { ... }
//
// Objects are immutable and shared: a reader may keep one as long as it likes. Thread-safe.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "kube/object_key.h"

namespace korder::kube {

template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;
  using IndexFn = std::function<std::vector<std::string>(const T&)>;

  // REQUIRES: the store is empty.
  void AddIndex(std::string name, IndexFn values) {
    const MutexLock lock(mu_);
    indexes_[std::move(name)].values = std::move(values);
  }

  Ptr Get(const ObjectKey& key) const {
    const MutexLock lock(mu_);
    const auto it = objects_.find(key);
    return it == objects_.end() ? nullptr : it->second;
  }
  // Ordered by key.
  std::vector<Ptr> List() const {
    std::vector<Ptr> all;
    {
      const MutexLock lock(mu_);
      all.reserve(objects_.size());
      for (const auto& [key, object] : objects_) {
        all.push_back(object);
      }
    }
    const auto name = [](const Ptr& object) {
      return std::tie(object->metadata.ns, object->metadata.name);
    };
    std::sort(all.begin(), all.end(),
              [&name](const Ptr& a, const Ptr& b) { return name(a) < name(b); });
    return all;
  }
  // Ordered by key. REQUIRES: AddIndex(index) was called.
  std::vector<Ptr> ByIndex(std::string_view index, std::string_view value) const {
    const MutexLock lock(mu_);
    std::vector<Ptr> found;
    const Index& in = indexes_.find(index)->second;
    if (const auto keys = in.keys.find(value); keys != in.keys.end()) {
      for (const ObjectKey& key : keys->second) {
        found.push_back(objects_.find(key)->second);
      }
    }
    return found;
  }
  size_t size() const {
    const MutexLock lock(mu_);
    return objects_.size();
  }

  // --- for the one writer ---

  // Puts the object in; returns the one it replaced, if any.
  Ptr Put(Ptr object) {
    const MutexLock lock(mu_);
    const ObjectKey key = KeyOf(*object);
    Ptr old = Remove(key);
    for (auto& [name, index] : indexes_) {
      for (std::string& value : index.values(*object)) {
        index.keys[std::move(value)].insert(key);
      }
    }
    objects_[key] = std::move(object);
    return old;
  }
  // Takes the object out and returns it.
  Ptr Erase(const ObjectKey& key) {
    const MutexLock lock(mu_);
    return Remove(key);
  }
  // Ordered.
  std::vector<ObjectKey> Keys() const {
    std::vector<ObjectKey> keys;
    {
      const MutexLock lock(mu_);
      keys.reserve(objects_.size());
      for (const auto& [key, object] : objects_) {
        keys.push_back(key);
      }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

 private:
  struct Index {
    IndexFn values;
    std::map<std::string, std::set<ObjectKey>, std::less<>> keys;
  };

  Ptr Remove(const ObjectKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto it = objects_.find(key);
    if (it == objects_.end()) {
      return nullptr;
    }
    Ptr old = std::move(it->second);
    objects_.erase(it);
    for (auto& [name, index] : indexes_) {
      for (const std::string& value : index.values(*old)) {
        if (const auto keys = index.keys.find(value); keys != index.keys.end()) {
          keys->second.erase(key);
          if (keys->second.empty()) {
            index.keys.erase(keys);
          }
        }
      }
    }
    return old;
  }

  mutable Mutex mu_;
  absl::flat_hash_map<ObjectKey, Ptr> objects_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Index, std::less<>> indexes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::kube
