#include "admission-svc/pod_webhook.h"

#include <utility>

#include "admission-svc/pod_gate.h"
#include "api/core/pod.h"
#include "api/v1alpha1/claim_request.h"
#include "base/status_macros.h"

namespace korder::admission {

absl::StatusOr<Verdict> PodWebhook::Review(const api::AdmissionRequest& request) const {
  // A gate can be set at creation only.
  if (request.operation != api::kOperationCreate || !request.sub_resource.empty()) {
    return Verdict{};
  }
  api::Pod pod;
  RETURN_IF_ERROR(Annotate(json::Parse(request.object.text, pod), "request.object"));
  if (!api::AsksForTicket(pod.metadata) && !policies_known_()) {
    return UnavailableError("the claim policies are not known yet");
  }
  GateDecision decision = DecideGate(pod, policies_.ByIndex(kByNamespace, request.ns));
  if (!decision.problems.empty()) {
    return Invalid(std::move(decision.problems));
  }
  if (decision.only_with_ticket) {
    const absl::StatusOr<Offer> offer =
        desk_.Ask(request.ns, decision.annotations.empty()
                                  ? request.object.text
                                  : json::Print(Saying(std::move(pod), decision.annotations)));
    if (!offer.ok()) {
      return Undecided(kTicketUnavailable,
                       "the pod is to be refused when no ticket fits it, and ticket-svc could not "
                       "decide whether one does (" +
                           std::string(Message(offer.status())) + "); try again");
    }
    if (!offer->fits) {
      return Forbidden("the pod is to be refused when no ticket fits it: " + offer->message);
    }
  }
  Verdict verdict;
  verdict.patch = std::move(decision.patch);
  verdict.warnings = std::move(decision.warnings);
  return verdict;
}

}  // namespace korder::admission
