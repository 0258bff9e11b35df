// What admission-svc knows of ClaimPolicies: the stores that its informers keep, and their indexes.
//
//   policies.store().AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
//   pods.store().AddIndex(kByPolicy, PolicyOf);
//   const PolicyStores stores{policies.store(), configurations.store(), pods.store()};
#pragma once

#include <string>

#include "admission-svc/policy_status.h"
#include "api/core/webhook_configuration.h"
#include "api/v1alpha1/claim_policy.h"
#include "kube/store.h"

namespace korder::admission {

inline constexpr char kByNamespace[] = "namespace";
inline constexpr char kByPolicy[] = "policy";

template <class T>
kube::IndexValues NamespaceOf(const T& object) {
  return {object.metadata.ns};
}

// The name of the policy, in the pod's namespace.
inline kube::IndexValues PolicyOf(const ClaimingPod& pod) {
  const std::string& policy = pod.metadata.annotations.policy;
  return policy.empty() ? kube::IndexValues() : kube::IndexValues{policy};
}

struct PolicyStores {
  const kube::Store<api::ClaimPolicy>& policies;  // REQUIRES: it has the index kByNamespace
  const kube::Store<api::MutatingWebhookConfiguration>& configurations;
  const kube::Store<ClaimingPod>& pods;  // REQUIRES: it has the index kByPolicy
};

}  // namespace korder::admission
