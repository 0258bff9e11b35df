// The mutating webhook for pods: does what DecideGate says, and asks ticket-svc for pods that would
// rather be refused than wait. No side effects.
//
//   policies.store().AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
//   PodWebhook webhook(ticket_desk, policies.store(), [&] { return policies.synced(); });
//
// A service that has just started does not know the policies for a moment; a pod that may fall
// under one gets no verdict then, so the API server goes by the failure policy of the webhook that
// called.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "admission-svc/peers.h"
#include "admission-svc/policy_stores.h"
#include "admission-svc/verdict.h"
#include "api/admission/admission_review.h"
#include "api/v1alpha1/claim_policy.h"
#include "base/status.h"
#include "kube/store.h"

namespace korder::admission {

// Thread-safe.
class PodWebhook {
 public:
  // Borrows desk and store. REQUIRES: `policies` has the index kByNamespace.
  PodWebhook(TicketDesk& desk, const kube::Store<api::ClaimPolicy>& policies,
             std::function<bool()> policies_known)
      : desk_(desk), policies_(policies), policies_known_(std::move(policies_known)) {}

  // INVALID_ARGUMENT when the pod cannot be read: then the API server goes by the failure policy
  // that the pod itself chose. UNAVAILABLE when the policies are not known yet.
  absl::StatusOr<Verdict> Review(const api::AdmissionRequest& request) const;

 private:
  TicketDesk& desk_;
  const kube::Store<api::ClaimPolicy>& policies_;
  const std::function<bool()> policies_known_;
};

}  // namespace korder::admission
