// A Secret; the values are plain bytes here and base64 in JSON.
//
//   secret.data["tls.crt"] = Bytes{pem};
#pragma once

#include <map>
#include <string>

#include "api/meta/bytes.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct Secret {
  static constexpr ResourceType kResource{
      .group = "", .version = "v1", .plural = "secrets", .kind = "Secret"};

  ObjectMeta metadata;
  std::string type;  // "Opaque" when empty; cannot change
  std::map<std::string, Bytes, std::less<>> data;

  bool operator==(const Secret&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("type", self.type);
    v("data", self.data);
  }
};

}  // namespace korder::api
