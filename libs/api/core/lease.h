// A Lease: who leads, and since when. Complete, so it can be written back whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/meta/micro_time.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct LeaseSpec {
  std::string holder_identity;  // empty: nobody holds it
  std::optional<int32_t> lease_duration_seconds;
  std::optional<MicroTime> acquire_time;
  std::optional<MicroTime> renew_time;
  int32_t lease_transitions = 0;

  bool operator==(const LeaseSpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("holderIdentity", self.holder_identity);
    v("leaseDurationSeconds", self.lease_duration_seconds);
    v("acquireTime", self.acquire_time);
    v("renewTime", self.renew_time);
    v("leaseTransitions", self.lease_transitions);
  }
};

struct Lease {
  static constexpr ResourceType kResource{
      .group = "coordination.k8s.io", .version = "v1", .plural = "leases", .kind = "Lease"};

  ObjectMeta metadata;
  LeaseSpec spec;

  bool operator==(const Lease&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "coordination.k8s.io/v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
  }
};

}  // namespace korder::api
