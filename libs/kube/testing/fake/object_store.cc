#include "kube/testing/fake/object_store.h"

#include <algorithm>
#include <string>
#include <utility>

namespace korder::kube::fake {
namespace {

ObjectPtr Stamped(Json object, int64_t version) {
  object["metadata"]["resourceVersion"] = Json::String(std::to_string(version));
  return std::make_shared<const StoredObject>(std::move(object));
}

}  // namespace

ObjectPtr ObjectStore::Get(const ResourceId& resource, const ObjectKey& key) const {
  const auto all = objects_.find(resource);
  if (all == objects_.end()) {
    return nullptr;
  }
  const auto it = all->second.find(key);
  return it == all->second.end() ? nullptr : it->second;
}

std::vector<ObjectPtr> ObjectStore::List(const ResourceId& resource) const {
  std::vector<ObjectPtr> list;
  if (const auto all = objects_.find(resource); all != objects_.end()) {
    for (const auto& [key, object] : all->second) {
      list.push_back(object);
    }
  }
  return list;
}

std::vector<ResourceId> ObjectStore::Resources() const {
  std::vector<ResourceId> resources;
  for (const auto& [resource, objects] : objects_) {
    resources.push_back(resource);
  }
  return resources;
}

ObjectPtr ObjectStore::Put(const ResourceId& resource, const ObjectKey& key, Json object) {
  ObjectPtr& slot = objects_[resource][key];
  const ObjectPtr was = std::exchange(slot, Stamped(std::move(object), ++version_));
  changes_[resource].push_back({version_, was, slot});
  return slot;
}

ObjectPtr ObjectStore::Remove(const ResourceId& resource, const ObjectKey& key) {
  auto& all = objects_[resource];
  const ObjectPtr last = Stamped(*all.at(key), ++version_);
  all.erase(key);
  changes_[resource].push_back({version_, last, nullptr});
  return last;
}

std::vector<Change> ObjectStore::Changes(const ResourceId& resource, int64_t version) const {
  const auto it = changes_.find(resource);
  if (it == changes_.end()) {
    return {};
  }
  const auto first =
      std::upper_bound(it->second.begin(), it->second.end(), version,
                       [](int64_t v, const Change& change) { return v < change.version; });
  return {first, it->second.end()};
}

void ObjectStore::Compact() {
  changes_.clear();
  compacted_ = version_;
}

}  // namespace korder::kube::fake
