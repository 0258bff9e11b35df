// How much room a pod takes on a node: the scheduler's own rule.
//
//   const ResourceList asked = PodRequests(pod.spec);   // {"cpu": 500m, "memory": 1Gi}
#pragma once

#include "api/core/pod_spec.h"
#include "api/core/resources.h"

namespace korder::api {

// Containers run together, so they add up. Init containers run one after the other before them, so
// the largest counts; a sidecar (restartPolicy Always) goes on running beside everything after it.
// Requests of the pod as a whole replace that sum for the resources they name (cpu, memory,
// hugepages). Overhead comes on top.
ResourceList PodRequests(const PodSpec& spec);

// The requests, completed from the limits where a limit stands alone, as the API server does.
ResourceList RequestsOrLimits(const ResourceRequirements& resources);

}  // namespace korder::api
