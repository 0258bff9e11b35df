// The in-memory copy of one resource: one writer (an informer), any number of readers.
//
//   store.AddIndex("owner", [](const api::Ticket& t) { return OwnerUids(t); });   // before it
//   fills for (const auto& ticket : store.ByIndex("owner", order.metadata.uid)) { ... }
//
// Objects are immutable and shared: a reader may keep one as long as it likes. There may be tens of
// thousands, so nothing of them is kept twice: keys and index values are views into the objects.
// Thread-safe.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "base/mutex.h"
#include "kube/object_key.h"

namespace korder::kube {

// Views into the object they are of, or of what lives for ever.
using IndexValues = absl::InlinedVector<std::string_view, 1>;

template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;
  using IndexFn = std::function<IndexValues(const T&)>;

  // REQUIRES: the store is empty.
  void AddIndex(std::string name, IndexFn values) {
    const MutexLock lock(mu_);
    indexes_[std::move(name)].values = std::move(values);
  }

  Ptr Get(const ObjectKey& key) const {
    const MutexLock lock(mu_);
    const auto it = objects_.find(key);
    return it == objects_.end() ? nullptr : *it;
  }
  // Ordered by key.
  std::vector<Ptr> List() const {
    std::vector<Ptr> all;
    {
      const MutexLock lock(mu_);
      all.assign(objects_.begin(), objects_.end());
    }
    std::sort(all.begin(), all.end(),
              [](const Ptr& a, const Ptr& b) { return Name(*a) < Name(*b); });
    return all;
  }
  // Ordered by key. REQUIRES: AddIndex(index) was called.
  std::vector<Ptr> ByIndex(std::string_view index, std::string_view value) const {
    const MutexLock lock(mu_);
    std::vector<Ptr> found;
    const auto& entries = indexes_.find(index)->second.entries;
    for (auto it = entries.lower_bound(value); it != entries.end() && it->value == value; ++it) {
      found.push_back(it->object);
    }
    return found;
  }
  // Those of which `wanted(object)` is true, in no order: a look at every object, for what happens
  // too rarely to keep an index for it. `wanted` must be quick and use no store.
  template <class Wanted>
  std::vector<Ptr> Those(const Wanted& wanted) const {
    const MutexLock lock(mu_);
    std::vector<Ptr> those;
    for (const Ptr& object : objects_) {
      if (wanted(*object)) {
        those.push_back(object);
      }
    }
    return those;
  }
  size_t size() const {
    const MutexLock lock(mu_);
    return objects_.size();
  }

  // --- for the one writer ---

  // Puts the object in; returns the one it replaced, if any.
  Ptr Put(Ptr object) {
    const MutexLock lock(mu_);
    Ptr old = Remove(KeyOf(*object));
    for (auto& [name, index] : indexes_) {
      for (const std::string_view value : index.values(*object)) {
        index.entries.insert(Entry{value, object});
      }
    }
    objects_.insert(std::move(object));
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
      for (const Ptr& object : objects_) {
        keys.push_back(KeyOf(*object));
      }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

 private:
  using NameView = std::tuple<std::string_view, std::string_view>;
  static NameView Name(const T& object) { return {object.metadata.ns, object.metadata.name}; }
  static NameView Name(const Ptr& object) { return Name(*object); }
  static NameView Name(const ObjectKey& key) { return {key.ns, key.name}; }

  // Objects are found by their key.
  struct NameHash {
    using is_transparent = void;
    template <class Named>
    size_t operator()(const Named& named) const {
      return absl::HashOf(Name(named));
    }
  };
  struct NameEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Name(a) == Name(b);
    }
  };

  struct Entry {
    std::string_view value;  // of the object
    Ptr object;
  };
  struct EntryLess {
    using is_transparent = void;
    bool operator()(const Entry& a, const Entry& b) const {
      return a.value != b.value ? a.value < b.value : Name(a.object) < Name(b.object);
    }
    bool operator()(const Entry& a, std::string_view value) const { return a.value < value; }
    bool operator()(std::string_view value, const Entry& b) const { return value < b.value; }
  };
  struct Index {
    IndexFn values;
    absl::btree_set<Entry, EntryLess> entries;
  };

  Ptr Remove(const ObjectKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto it = objects_.find(key);
    if (it == objects_.end()) {
      return nullptr;
    }
    Ptr old = *it;
    objects_.erase(it);
    for (auto& [name, index] : indexes_) {
      for (const std::string_view value : index.values(*old)) {
        index.entries.erase(Entry{value, old});
      }
    }
    return old;
  }

  mutable Mutex mu_;
  absl::flat_hash_set<Ptr, NameHash, NameEqual> objects_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Index, std::less<>> indexes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::kube
