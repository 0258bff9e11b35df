// A ConfigMap. Complete but for `immutable`, so one that korder made can be written back whole.
#pragma once

#include <map>
#include <string>

#include "api/meta/bytes.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct ConfigMap {
  static constexpr ResourceType kResource{
      .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap"};

  ObjectMeta metadata;
  std::map<std::string, std::string, std::less<>> data;
  std::map<std::string, Bytes, std::less<>> binary_data;

  bool operator==(const ConfigMap&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("data", self.data);
    v("binaryData", self.binary_data);
  }
};

}  // namespace korder::api
