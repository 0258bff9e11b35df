#include "admission-svc/policy_status.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admission-svc/claim_route.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/validation.h"

namespace korder::admission {
namespace {

api::Condition Ready(bool ready, std::string_view reason, std::string message) {
  return {.type = std::string(api::kConditionReady),
          .status = ready ? api::ConditionStatus::kTrue : api::ConditionStatus::kFalse,
          .reason = std::string(reason),
          .message = std::move(message)};
}

api::Condition ReadyBy(Coverage coverage) {
  switch (coverage) {
    case Coverage::kNoWebhook:
      return Ready(false, api::kReasonNoWebhook, Explain(coverage));
    case Coverage::kNamespaceExcluded:
      return Ready(false, api::kReasonNamespaceExcluded, Explain(coverage));
    case Coverage::kPending:
      return Ready(false, api::kReasonWebhookPending, Explain(coverage));
    case Coverage::kServed:
    case Coverage::kServedUnlessDown:
      break;
  }
  return Ready(true, api::kReasonAccepted, Explain(coverage));
}

api::Condition ReadyOf(const ObservedPolicy& observed) {
  const std::vector<api::FieldError> problems = api::Validate(observed.policy);
  return problems.empty() ? ReadyBy(observed.coverage)
                          : Ready(false, api::kReasonInvalidSpec, api::JoinErrors(problems));
}

// The selectors of those that are asked first, the oldest first.
std::vector<api::LabelSelector> PrecededBy(const ObservedPolicy& observed) {
  std::vector<PolicyPtr> older;
  for (const PolicyPtr& other : observed.neighbours) {
    if (IsOlder(*other, observed.policy) && IsEffective(*other)) {
      older.push_back(other);
    }
  }
  std::sort(older.begin(), older.end(),
            [](const PolicyPtr& a, const PolicyPtr& b) { return IsOlder(*a, *b); });
  std::vector<api::LabelSelector> selectors;
  selectors.reserve(older.size());
  for (const PolicyPtr& other : older) {
    selectors.push_back(other->spec.pod_selector);
  }
  return selectors;
}

}  // namespace

std::string Explain(Coverage coverage) {
  switch (coverage) {
    case Coverage::kNoWebhook:
      return "korder is installed without its webhook for pods, so it does not see them";
    case Coverage::kNamespaceExcluded:
      return "korder is told never to look at the pods of this namespace";
    case Coverage::kPending:
      return "the API server is not told yet to show korder the pods of this policy";
    case Coverage::kServed:
      return "new pods that match claim tickets";
    case Coverage::kServedUnlessDown:
      break;
  }
  return absl::StrCat(
      "new pods that match claim tickets; while korder is down they are made without, because ",
      kMaxStrictEntries, " older selectors have the webhooks that refuse");
}

PodCounts CountPods(const std::vector<std::shared_ptr<const ClaimingPod>>& pods) {
  PodCounts counts;
  for (const auto& pod : pods) {
    const std::string_view claim = pod->metadata.labels.claim;
    counts.claimed += claim == api::kClaimClaimed ? 1 : 0;
    counts.waiting += claim == api::kClaimPending ? 1 : 0;
    counts.missed += claim == api::kClaimFallback ? 1 : 0;
  }
  return counts;
}

std::optional<api::ClaimPolicyStatus> DecidePolicyStatus(const ObservedPolicy& observed,
                                                         absl::Time now) {
  api::ClaimPolicyStatus status = observed.policy.status;
  status.claimed = observed.pods.claimed;
  status.waiting = observed.pods.waiting;
  status.missed = observed.pods.missed;
  const bool effective = IsEffective(observed.policy);
  status.pod_annotations = effective ? SettingsFor({}, observed.policy) : api::Labels{};
  status.preceded_by = effective ? PrecededBy(observed) : std::vector<api::LabelSelector>{};
  status.observed_generation = observed.policy.metadata.generation;
  api::Condition ready = ReadyOf(observed);
  ready.observed_generation = observed.policy.metadata.generation;
  api::SetCondition(status.conditions, std::move(ready), now);
  return status == observed.policy.status ? std::nullopt : std::optional(std::move(status));
}

}  // namespace korder::admission
