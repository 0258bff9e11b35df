#include "admission-svc/claim_route.h"

#include <string>
#include <string_view>
#include <tuple>

#include "api/v1alpha1/names.h"
#include "api/v1alpha1/ticket.h"
#include "api/v1alpha1/validation.h"

namespace korder::admission {
namespace {

bool Says(const api::Pod& pod, std::string_view key) {
  return pod.metadata.annotations.contains(key) || pod.metadata.labels.contains(key);
}

// By its owner, not by a label. Who forges one only keeps the pod out of the policy's reach.
bool IsGuardian(const api::Pod& pod) {
  const api::OwnerReference* owner = api::ControllerOf(pod.metadata);
  return owner != nullptr && owner->kind == api::Ticket::kResource.kind &&
         owner->api_version == api::kApiVersion;
}

std::string_view Word(api::ClaimMode mode) {
  return mode == api::ClaimMode::kRequired ? api::kModeRequired : api::kModePreferred;
}

std::string_view Word(api::ClaimFallback fallback) {
  switch (fallback) {
    case api::ClaimFallback::kWait:
      return api::kFallbackWait;
    case api::ClaimFallback::kDeny:
      return api::kFallbackDeny;
    case api::ClaimFallback::kSchedule:
      break;
  }
  return api::kFallbackSchedule;
}

}  // namespace

bool IsEffective(const api::ClaimPolicy& policy) {
  return !policy.metadata.deleting() && api::Validate(policy).empty();
}

bool IsOlder(const api::ClaimPolicy& a, const api::ClaimPolicy& b) {
  const auto age = [](const api::ClaimPolicy& policy) {
    return std::tuple(policy.metadata.creation_timestamp.value_or(absl::InfiniteFuture()),
                      std::string_view(policy.metadata.name));
  };
  return age(a) < age(b);
}

const api::ClaimPolicy* PolicyFor(const api::Pod& pod, const std::vector<PolicyPtr>& policies) {
  if (Says(pod, api::kAnnotationRequired) || IsGuardian(pod)) {
    return nullptr;
  }
  const api::ClaimPolicy* first = nullptr;
  for (const PolicyPtr& policy : policies) {
    if (policy->spec.pod_selector.Matches(pod.metadata.labels) && IsEffective(*policy) &&
        (first == nullptr || IsOlder(*policy, *first))) {
      first = policy.get();
    }
  }
  return first;
}

api::Labels SettingsFor(const api::Pod& pod, const api::ClaimPolicy& policy) {
  api::Labels settings;
  const auto set = [&](std::string_view key, std::string_view value) {
    if (!Says(pod, key)) {
      settings[std::string(key)] = value;
    }
  };
  // Not by `set`: a name copied from another pod must not stay.
  settings[std::string(api::kAnnotationClaimPolicy)] = policy.metadata.name;
  set(api::kAnnotationRequired, api::kRequiredTrue);
  set(api::kAnnotationMode, Word(policy.spec.mode));
  set(api::kAnnotationFallback, Word(policy.spec.fallback));
  set(api::kAnnotationClaimTimeout, policy.spec.claim_timeout.text());
  const bool chooses = Says(pod, api::kAnnotationOrder) || Says(pod, api::kAnnotationTicket) ||
                       Says(pod, api::kAnnotationTicketSelector);
  if (policy.spec.tickets && !chooses) {
    if (!policy.spec.tickets->order.empty()) {
      set(api::kAnnotationOrder, policy.spec.tickets->order);
    }
    if (policy.spec.tickets->selector && !policy.spec.tickets->selector->empty()) {
      set(api::kAnnotationTicketSelector, policy.spec.tickets->selector->ToString());
    }
  }
  return settings;
}

}  // namespace korder::admission
