// How objects go: preconditions, grace, finalizers, and the garbage collector that follows owners.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "kube/object_key.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/object_store.h"
#include "kube/testing/fake/resource_rules.h"

namespace korder::kube::fake {

struct DeletePlan {
  std::optional<HttpResponse> refusal;  // then nothing else
  std::optional<Json> mark;             // store this first: with a deletionTimestamp
  bool remove = false;                  // then take the object out
};
DeletePlan PlanDelete(const ApiCall& call, const Json& object, absl::Time now);

// One thing that the garbage collector has to do.
struct Chore {
  ResourceId resource;
  ObjectKey key;
  std::optional<Json> update;  // store this; otherwise delete the object
};
// What is to do now; doing it may make more.
std::vector<Chore> FindGarbage(const ObjectStore& store);

}  // namespace korder::kube::fake
