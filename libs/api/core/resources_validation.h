// Checks resource names and amounts as the API server would for a container, so that a ticket is
// not accepted whose guardian pod would be refused.
#pragma once

#include <string>
#include <string_view>

#include "api/core/resources.h"
#include "api/meta/problems.h"

namespace korder::api {

// "", or why no container can ask for a resource of this name.
std::string ResourceNameProblem(std::string_view name);

// True for resources that cannot be overcommitted: hugepages and extended resources such as
// nvidia.com/gpu. Their request and limit must be equal; one may be left out here.
bool NeedsEqualLimit(std::string_view name);

// Everything wrong with requests and limits. Does not look at claims.
void ValidateResources(const ResourceRequirements& resources, const FieldPath& path,
                       Problems& problems);

}  // namespace korder::api
