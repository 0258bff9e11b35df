// The validating webhooks for korder's own kinds: everything that is wrong with an object at once,
// each problem with path, value and rule; then, for Orders and Tickets, what the quotas say.
//
//   Validator validator(quota_desk, quotas.store(), clock);
//   absl::StatusOr<Verdict> verdict = validator.Order(request);
//
// An answer of quota-svc is asked for only where the object is otherwise valid. Without one, a new
// object is allowed with a warning: quota-svc decides again before anything is reserved.
#pragma once

#include "admission-svc/node_sizes.h"
#include "admission-svc/peers.h"
#include "admission-svc/verdict.h"
#include "api/admission/admission_review.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"
#include "base/clock.h"
#include "kube/store.h"

namespace korder::admission {

// Thread-safe. A dry run changes nothing anywhere.
class Validator {
 public:
  // Borrows everything.
  Validator(QuotaDesk& desk, const kube::Store<api::Quota>& quotas, const NodeSizes& sizes,
            const Clock& clock)
      : desk_(desk), quotas_(quotas), sizes_(sizes), clock_(clock) {}

  Verdict Order(const api::AdmissionRequest& request) const;
  Verdict Ticket(const api::AdmissionRequest& request) const;
  Verdict Quota(const api::AdmissionRequest& request) const;
  Verdict ClaimPolicy(const api::AdmissionRequest& request) const;

 private:
  Verdict AskForOrder(const api::AdmissionRequest& request, const api::Order& order) const;
  // `old` is null for a new ticket.
  Verdict AskForTicket(const api::AdmissionRequest& request, const api::Ticket* old,
                       const api::Ticket& ticket) const;

  QuotaDesk& desk_;
  const kube::Store<api::Quota>& quotas_;
  const NodeSizes& sizes_;
  const Clock& clock_;
};

}  // namespace korder::admission
