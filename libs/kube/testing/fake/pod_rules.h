// What an API server knows of pods in particular: gates, binding, nominations, graceful deletion.
// Pure; part of resource_rules.h.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/json_value.h"
#include "kube/testing/fake/resource_rules.h"

namespace korder::kube::fake {

// Defaults and the first status of a new pod.
Refusal PreparePodCreate(const ApiCall& call, Json& pod);
Refusal CheckPodUpdate(const ApiCall& call, const Json& was, const Json& is);

// Performs a POST of pods/binding on the pod.
Refusal BindPod(const ApiCall& call, const Json& binding, absl::Time now, Json& pod);

// The grace period that a deletion gives the pod.
int64_t GracePeriod(const Json& pod, std::optional<int64_t> asked_for);

}  // namespace korder::kube::fake
