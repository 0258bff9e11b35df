#include "api/core/pod_requests.h"

#include <algorithm>
#include <string>

namespace korder::api {
namespace {

// Quantities are read from at most 64 bits and summed in 128, so no list of containers that fits in
// an object can exceed the range; the bound only keeps the sum defined.
constexpr Quantity kMost =
    Quantity::FromNanos(static_cast<Quantity::Nanos>(~static_cast<unsigned __int128>(0) >> 1));

void AddTo(ResourceList& sum, const ResourceList& more) {
  for (const auto& [name, amount] : more) {
    const auto [it, inserted] = sum.try_emplace(name, amount);
    if (!inserted) {
      it->second = it->second.Add(amount).value_or(kMost);
    }
  }
}

void RaiseTo(ResourceList& list, const ResourceList& least) {
  for (const auto& [name, amount] : least) {
    const auto [it, inserted] = list.try_emplace(name, amount);
    if (!inserted) {
      it->second = std::max(it->second, amount);
    }
  }
}

bool IsPodLevelResource(std::string_view name) {
  return name == kResourceCpu || name == kResourceMemory || name.starts_with("hugepages-");
}

ResourceList ContainerRequests(const PodSpec& spec) {
  ResourceList running;
  for (const Container& container : spec.containers) {
    AddTo(running, RequestsOrLimits(container.resources));
  }
  ResourceList sidecars;      // those started so far
  ResourceList initializing;  // the largest moment before the containers start
  for (const Container& container : spec.init_containers) {
    const ResourceList asked = RequestsOrLimits(container.resources);
    if (container.restart_policy == "Always") {
      AddTo(running, asked);
      AddTo(sidecars, asked);
      RaiseTo(initializing, sidecars);
    } else {
      ResourceList moment = sidecars;
      AddTo(moment, asked);
      RaiseTo(initializing, moment);
    }
  }
  RaiseTo(running, initializing);
  return running;
}

}  // namespace

ResourceList PodRequests(const PodSpec& spec) {
  ResourceList requests = ContainerRequests(spec);
  if (spec.resources.has_value()) {
    for (const auto& [name, amount] : spec.resources->requests) {
      if (IsPodLevelResource(name)) {
        requests.insert_or_assign(name, amount);
      }
    }
  }
  AddTo(requests, spec.overhead);
  return requests;
}

ResourceList RequestsOrLimits(const ResourceRequirements& resources) {
  ResourceList requests = resources.requests;
  requests.insert(resources.limits.begin(), resources.limits.end());  // keeps what is there
  return requests;
}

}  // namespace korder::api
