// The ways to change an object with a PATCH: JSON merge patch (RFC 7386), JSON patch (RFC 6902) and
// Kubernetes' strategic merge patch.
//
//   MergePatch(object, patch);
//
// Pure.
#pragma once

#include "base/status.h"
#include "kube/testing/fake/json_value.h"

namespace korder::kube::fake {

void MergePatch(Json& target, const Json& patch);

// As MergePatch, but some lists of objects are merged by a key (conditions by type, scheduling
// gates by name...), and "$patch": "delete" or "replace" says so. A list that ends up empty is
// dropped, as a typed object drops it.
void StrategicMergePatch(Json& target, const Json& patch);

// FAILED_PRECONDITION when a test does not hold, INVALID_ARGUMENT for everything else that does not
// fit; the target is unchanged then.
absl::Status JsonPatch(Json& target, const Json& operations);

}  // namespace korder::kube::fake
