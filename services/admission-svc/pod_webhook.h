// The mutating webhook for pods: does what DecideGate says, and asks ticket-svc for pods that would
// rather be refused than wait. No side effects.
#pragma once

#include "admission-svc/peers.h"
#include "admission-svc/verdict.h"
#include "api/admission/admission_review.h"
#include "base/status.h"

namespace korder::admission {

// Thread-safe.
class PodWebhook {
 public:
  // Borrows the desk.
  explicit PodWebhook(TicketDesk& desk) : desk_(desk) {}

  // INVALID_ARGUMENT when the pod cannot be read: then the API server goes by the failure policy
  // that the pod itself chose.
  absl::StatusOr<Verdict> Review(const api::AdmissionRequest& request) const;

 private:
  TicketDesk& desk_;
};

}  // namespace korder::admission
