// Checks where something may run as the API server would for a pod, so that a ticket is not
// accepted whose guardian pod would be refused.
//
//   ValidateAffinity(spec.affinity, path / "affinity", problems);
#pragma once

#include <optional>
#include <vector>

#include "api/core/scheduling.h"
#include "api/meta/problems.h"

namespace korder::api {

void ValidateNodeSelector(const Labels& selector, const FieldPath& path, Problems& problems);
void ValidateAffinity(const Boxed<Affinity>& affinity, const FieldPath& path, Problems& problems);
void ValidateTolerations(const std::vector<Toleration>& tolerations, const FieldPath& path,
                         Problems& problems);
void ValidateTopologySpread(const std::vector<TopologySpreadConstraint>& constraints,
                            const FieldPath& path, Problems& problems);

}  // namespace korder::api
