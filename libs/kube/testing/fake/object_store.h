// What a fake API server remembers: the objects, one version counter for all of them, and what
// happened, for watches.
//
//   store.Put({"", "pods"}, key, object);        // stamps metadata.resourceVersion
//   for (const Change& change : store.Changes({"", "pods"}, after_version)) { ... }
//
// Objects are immutable and shared. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube/object_key.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/json_value.h"

namespace korder::kube::fake {

// An object as it was after one write, and its text, which is made when somebody asks first.
class StoredObject final : public Json {
 public:
  explicit StoredObject(Json object) : Json(std::move(object)) {}
  const std::string& Printed() const {
    if (text_.empty()) {
      text_ = json::Print<Json>(*this);
    }
    return text_;
  }

 private:
  mutable std::string text_;
};
using ObjectPtr = std::shared_ptr<const StoredObject>;

// One write. Of a deletion, `is` is null and `was` is the last state.
struct Change {
  int64_t version = 0;
  ObjectPtr was;
  ObjectPtr is;

  // The new state, or the last one.
  const std::string& Text() const { return (is ? *is : *was).Printed(); }
};

class ObjectStore {
 public:
  ObjectPtr Get(const ResourceId& resource, const ObjectKey& key) const;
  // Ordered by key.
  std::vector<ObjectPtr> List(const ResourceId& resource) const;
  std::vector<ResourceId> Resources() const;
  // Of the newest write.
  int64_t version() const { return version_; }

  // Both take the next version; Remove stamps it on what it returns.
  ObjectPtr Put(const ResourceId& resource, const ObjectKey& key, Json object);
  ObjectPtr Remove(const ResourceId& resource, const ObjectKey& key);

  // Everything after `version`, oldest first. REQUIRES: version >= compacted().
  std::vector<Change> Changes(const ResourceId& resource, int64_t version) const;
  // Forgets what happened until now.
  void Compact();
  int64_t compacted() const { return compacted_; }

 private:
  std::map<ResourceId, std::map<ObjectKey, ObjectPtr>> objects_;
  std::map<ResourceId, std::vector<Change>> changes_;
  int64_t version_ = 100;  // as in a cluster that has lived for a while
  int64_t compacted_ = 0;
};

}  // namespace korder::kube::fake
