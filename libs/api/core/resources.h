// How much of what a container, a pod or a ticket asks for.
//
//   ResourceList requests = {{"cpu", *ParseQuantity("500m")}, {"memory", *ParseQuantity("1Gi")}};
//   requests[std::string(kResourceCpu)];
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/value/quantity.h"
#include "json/fields.h"

namespace korder::api {

inline constexpr std::string_view kResourceCpu = "cpu";
inline constexpr std::string_view kResourceMemory = "memory";
inline constexpr std::string_view kResourceEphemeralStorage = "ephemeral-storage";
inline constexpr std::string_view kResourcePods = "pods";

using ResourceList = std::map<std::string, Quantity, std::less<>>;

// A claim of dynamic resource allocation.
struct ResourceClaim {
  std::string name;
  std::string request;

  bool operator==(const ResourceClaim&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("request", self.request);
  }
};

struct ResourceRequirements {
  ResourceList requests;
  ResourceList limits;
  std::vector<ResourceClaim> claims;

  bool operator==(const ResourceRequirements&) const = default;
  friend bool IsEmptyJson(const ResourceRequirements& r) { return r == ResourceRequirements{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("requests", self.requests);
    v("limits", self.limits);
    v("claims", self.claims);
  }
};

}  // namespace korder::api
