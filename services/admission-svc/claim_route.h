// Decides which ClaimPolicy makes a pod ask for a ticket, and with which words. Pure.
//
//   if (const api::ClaimPolicy* policy = PolicyFor(pod, policies_of_its_namespace)) {
//     for (const auto& [key, value] : SettingsFor(pod, *policy)) { ... annotate the pod ... }
//   }
//
// A pod that says anything about korder.dev/required itself is beyond every policy, also with
// "false". Of several policies that match the oldest wins, then the first by name.
#pragma once

#include <memory>
#include <vector>

#include "api/core/pod.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/value/labels.h"

namespace korder::admission {

using PolicyPtr = std::shared_ptr<const api::ClaimPolicy>;

// Neither being deleted nor malformed: one that is lets its pods go like any other.
bool IsEffective(const api::ClaimPolicy& policy);

// Oldest first, then by name.
bool IsOlder(const api::ClaimPolicy& a, const api::ClaimPolicy& b);

// The policy that decides about the pod, or nullptr. `policies` are those of the pod's namespace.
// Guardians are never caught, whatever a selector says. Points into `policies`.
const api::ClaimPolicy* PolicyFor(const api::Pod& pod, const std::vector<PolicyPtr>& policies);

// The annotations that make the pod ask as the policy says. What the pod says itself, by annotation
// or label, stays: of the choice of tickets as a whole, of all else word by word.
api::Labels SettingsFor(const api::Pod& pod, const api::ClaimPolicy& policy);

}  // namespace korder::admission
