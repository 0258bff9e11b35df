#include "api/meta/dns_name.h"
#include "api/v1alpha1/schedule_validation.h"
#include "api/v1alpha1/validation.h"

namespace korder::api {

std::vector<FieldError> Validate(const ClaimPolicy& policy) {
  Problems problems;
  const FieldPath spec("spec");
  if (policy.spec.pod_selector.empty()) {
    problems.Missing(spec / "podSelector",
                     "must select something: an empty one would catch every pod of the namespace");
  }
  problems.Append(Validate(policy.spec.pod_selector, (spec / "podSelector").text()));
  if (policy.spec.tickets.has_value()) {
    const FieldPath tickets = spec / "tickets";
    if (!policy.spec.tickets->order.empty()) {
      problems.AddIf(tickets / "order", policy.spec.tickets->order,
                     DnsSubdomainProblem(policy.spec.tickets->order));
    }
    if (policy.spec.tickets->selector.has_value()) {
      problems.Append(Validate(*policy.spec.tickets->selector, (tickets / "selector").text()));
    }
  }
  CheckPositive(policy.spec.claim_timeout, spec / "claimTimeout", problems);
  return problems.Take();
}

std::vector<FieldError> ValidateUpdate(const ClaimPolicy&, const ClaimPolicy& now) {
  return now.metadata.deleting() ? std::vector<FieldError>{} : Validate(now);
}

}  // namespace korder::api
