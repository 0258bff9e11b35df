// Which object it is, and which version of it: what is kept of the metadata of an object where
// there are tens of thousands, in 72 bytes.
//
//   struct Seen { api::ObjectIdentity metadata; bool bound; };   // kube::Store can keep it
//   Seen seen{api::TakeIdentity(pod.metadata), IsBound(pod)};
#pragma once

#include <string>
#include <utility>

#include "api/meta/object_meta.h"
#include "base/compact_id.h"
#include "base/compact_number.h"
#include "base/shared_text.h"

namespace korder::api {

// Its members have the names of ObjectMeta's and read as its texts do, so what takes an object by
// its `metadata` takes either.
struct ObjectIdentity {
  std::string name;
  SharedText ns;
  CompactId uid;
  CompactNumber resource_version;

  bool operator==(const ObjectIdentity&) const = default;
};

// Leaves the metadata without it.
inline ObjectIdentity TakeIdentity(ObjectMeta& meta) {
  return {.name = std::exchange(meta.name, {}),
          .ns = std::exchange(meta.ns, {}),
          .uid = std::exchange(meta.uid, {}),
          .resource_version = std::exchange(meta.resource_version, {})};
}

}  // namespace korder::api
