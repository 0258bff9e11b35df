// The metadata of every Kubernetes object, and who owns it.
//
//   ticket.metadata.owner_references = {ControllerReference(order)};
//   if (const OwnerReference* owner = ControllerOf(pod.metadata)) { ... owner->uid ... }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/time/time.h"
#include "api/value/labels.h"
#include "json/fields.h"

namespace korder::api {

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  std::optional<bool> controller;
  std::optional<bool> block_owner_deletion;

  bool operator==(const OwnerReference&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("name", self.name);
    v("uid", self.uid);
    v("controller", self.controller);
    v("blockOwnerDeletion", self.block_owner_deletion);
  }
};

struct ObjectMeta {
  std::string name;
  std::string generate_name;
  std::string ns;
  std::string uid;
  std::string resource_version;
  int64_t generation = 0;
  std::optional<absl::Time> creation_timestamp;
  std::optional<absl::Time> deletion_timestamp;  // set while the object is being deleted
  Labels labels;
  Labels annotations;
  std::vector<OwnerReference> owner_references;
  std::vector<std::string> finalizers;

  bool operator==(const ObjectMeta&) const = default;
  friend bool IsEmptyJson(const ObjectMeta& meta) { return meta == ObjectMeta{}; }

  bool deleting() const { return deletion_timestamp.has_value(); }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("generateName", self.generate_name);
    v("namespace", self.ns);
    v("uid", self.uid);
    v("resourceVersion", self.resource_version);
    // A const object is being written. Only the server sets a generation, so 0 is left out.
    if (!std::is_const_v<Self> || self.generation != 0) {
      v("generation", self.generation);
    }
    v("creationTimestamp", self.creation_timestamp);
    v("deletionTimestamp", self.deletion_timestamp);
    v("labels", self.labels);
    v("annotations", self.annotations);
    v("ownerReferences", self.owner_references);
    v("finalizers", self.finalizers);
  }
};

// The owner that manages the object, or nullptr. Points into `meta`.
const OwnerReference* ControllerOf(const ObjectMeta& meta);

// The value of a label or annotation, or "" when it is absent. Valid as long as the map's entry.
std::string_view ValueOf(const Labels& labels, std::string_view key);

// A reference that makes `owner` the managing owner of an object.
template <class T>
OwnerReference ControllerReference(const T& owner) {
  return {.api_version = T::kResource.ApiVersion(),
          .kind = std::string(T::kResource.kind),
          .name = owner.metadata.name,
          .uid = owner.metadata.uid,
          .controller = true,
          .block_owner_deletion = true};
}

}  // namespace korder::api
