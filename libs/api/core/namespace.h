// A namespace: its labels decide which Quotas with a namespaceSelector it falls under. Read only.
#pragma once

#include <string>

#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct NamespaceStatus {
  std::string phase;  // "Active" or "Terminating"

  bool operator==(const NamespaceStatus&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("phase", self.phase);
  }
};

struct Namespace {
  static constexpr ResourceType kResource{.group = "",
                                          .version = "v1",
                                          .plural = "namespaces",
                                          .kind = "Namespace",
                                          .namespaced = false};

  ObjectMeta metadata;
  NamespaceStatus status;

  bool operator==(const Namespace&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("status", self.status);
  }
};

}  // namespace korder::api
