#include "api/v1alpha1/ticket_spec_validation.h"

#include <algorithm>
#include <string>

#include "api/core/resources_validation.h"
#include "api/core/scheduling_validation.h"
#include "api/meta/dns_name.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/schedule_validation.h"

namespace korder::api {
namespace {

void CheckOptionalName(const std::string& name, const FieldPath& path, Problems& problems) {
  if (!name.empty()) {
    problems.AddIf(path, name, DnsSubdomainProblem(name));
  }
}

void ValidateTicketResources(const TicketSpec& spec, const FieldPath& path, Problems& problems) {
  ValidateResources(spec.resources, path, problems);
  if (!spec.resources.claims.empty()) {
    problems.Add(path / "claims", spec.resources.claims[0].name,
                 "claims of dynamic resource allocation cannot be reserved; remove them");
  }
  const ResourceList requests = EffectiveRequests(spec);
  if (std::all_of(requests.begin(), requests.end(),
                  [](const auto& entry) { return entry.second.IsZero(); })) {
    problems.Missing(path / "requests",
                     "a ticket must ask for something: set requests or limits above 0");
  }
}

}  // namespace

void ValidateTicketSpec(const TicketSpec& spec, const FieldPath& path, Problems& problems) {
  if (spec.lifecycle.ttl_seconds_after_finished < 0) {
    problems.Add(path / "lifecycle" / "ttlSecondsAfterFinished",
                 std::to_string(spec.lifecycle.ttl_seconds_after_finished), "must be 0 or more");
  }
  CheckPositive(spec.duration, path / "duration", problems);
  CheckOptionalName(spec.scheduler_name, path / "schedulerName", problems);
  CheckOptionalName(spec.priority_class_name, path / "priorityClassName", problems);
  ValidateTicketResources(spec, path / "resources", problems);
  CheckOptionalName(spec.node_name, path / "nodeName", problems);
  ValidateNodeSelector(spec.node_selector, path / "nodeSelector", problems);
  ValidateAffinity(spec.affinity, path / "affinity", problems);
  ValidateTolerations(spec.tolerations, path / "tolerations", problems);
  ValidateTopologySpread(spec.topology_spread_constraints, path / "topologySpreadConstraints",
                         problems);
}

}  // namespace korder::api
