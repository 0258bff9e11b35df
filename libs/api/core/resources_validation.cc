#include "api/core/resources_validation.h"

#include <algorithm>

#include "api/value/labels.h"

namespace korder::api {
namespace {

constexpr std::string_view kHugepages = "hugepages-";
constexpr Quantity::Nanos kUnit = 1'000'000'000;

bool IsHugepages(std::string_view name) { return name.starts_with(kHugepages); }

bool IsExtended(std::string_view name) { return name.find('/') != std::string_view::npos; }

// "", or why the amount is not one of whole pages.
std::string HugepagesProblem(std::string_view name, const Quantity& amount) {
  const absl::StatusOr<Quantity> page = Quantity::Parse(name.substr(kHugepages.size()));
  if (!page.ok() || *page <= Quantity()) {
    return "the name must end with the size of a page, as in hugepages-2Mi";
  }
  return amount.nanos() % page->nanos() == 0 ? "" : "must be a multiple of the page size";
}

void ValidateList(const ResourceList& list, const FieldPath& path, Problems& problems) {
  for (const auto& [name, amount] : list) {
    const FieldPath at = path.Key(name);
    problems.AddIf(path, name, ResourceNameProblem(name));
    if (amount.IsNegative()) {
      problems.Add(at, amount.ToString(), "must be 0 or more");
    } else if (IsHugepages(name)) {
      problems.AddIf(at, amount.ToString(), HugepagesProblem(name, amount));
    } else if (IsExtended(name) && amount.nanos() % kUnit != 0) {
      problems.Add(at, amount.ToString(), "must be a whole number");
    }
  }
}

void ValidateAgainstLimits(const ResourceRequirements& resources, const FieldPath& path,
                           Problems& problems) {
  for (const auto& [name, amount] : resources.requests) {
    const auto limit = resources.limits.find(name);
    if (limit == resources.limits.end()) {
      continue;
    }
    const FieldPath at = path.Key(name);
    if (NeedsEqualLimit(name) && amount != limit->second) {
      problems.Add(at, amount.ToString(), "must equal the limit of " + limit->second.ToString());
    } else if (amount > limit->second) {
      problems.Add(at, amount.ToString(),
                   "must not be more than the limit of " + limit->second.ToString());
    }
  }
}

bool Mentions(const ResourceRequirements& resources, std::string_view name) {
  return resources.requests.contains(name) || resources.limits.contains(name);
}

bool MentionsHugepages(const ResourceRequirements& resources) {
  const auto hugepages = [](const auto& entry) { return IsHugepages(entry.first); };
  return std::any_of(resources.requests.begin(), resources.requests.end(), hugepages) ||
         std::any_of(resources.limits.begin(), resources.limits.end(), hugepages);
}

}  // namespace

std::string ResourceNameProblem(std::string_view name) {
  if (std::string problem = LabelKeyProblem(name); !problem.empty()) {
    return "is not a resource name: " + problem;
  }
  if (IsExtended(name)) {
    const bool reserved = name.substr(0, name.find('/')).ends_with("kubernetes.io");
    return reserved || name.starts_with("requests.") ? "is not a resource that a pod can ask for"
                                                     : "";
  }
  if (name == kResourceCpu || name == kResourceMemory || name == kResourceEphemeralStorage ||
      IsHugepages(name)) {
    return "";
  }
  return "is not a resource that a pod can ask for; known are cpu, memory, ephemeral-storage, "
         "hugepages-<size> and names with a domain such as nvidia.com/gpu";
}

bool NeedsEqualLimit(std::string_view name) { return IsHugepages(name) || IsExtended(name); }

void ValidateResources(const ResourceRequirements& resources, const FieldPath& path,
                       Problems& problems) {
  ValidateList(resources.requests, path / "requests", problems);
  ValidateList(resources.limits, path / "limits", problems);
  ValidateAgainstLimits(resources, path / "requests", problems);
  if (MentionsHugepages(resources) && !Mentions(resources, kResourceCpu) &&
      !Mentions(resources, kResourceMemory)) {
    problems.Missing(path, "hugepages need cpu or memory beside them");
  }
}

}  // namespace korder::api
