#include "admission-svc/claim_router_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "admission-svc/certificate_keeper.h"
#include "admission-svc/pod_gate.h"
#include "admission-svc/pod_webhook.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/names.h"
#include "base/status_macros.h"
#include "runtime/grpc_call_namespace.h"
#include "runtime/grpc_client.h"

namespace korder::admission {
namespace {

constexpr char kResolve[] = "/korder.admission.v1.ClaimRouter/Resolve";

// A setting is the annotation, or else the label.
std::string Said(const api::Pod& pod, std::string_view key) {
  const api::Labels& annotations = pod.metadata.annotations;
  return std::string(
      api::ValueOf(annotations.contains(key) ? annotations : pod.metadata.labels, key));
}

void Render(const api::Pod& pod, pb::Wish& wish) {
  wish.set_order(Said(pod, api::kAnnotationOrder));
  wish.set_ticket(Said(pod, api::kAnnotationTicket));
  wish.set_ticket_selector(Said(pod, api::kAnnotationTicketSelector));
  wish.set_mode(Said(pod, api::kAnnotationMode));
  wish.set_fallback(Said(pod, api::kAnnotationFallback));
  wish.set_claim_timeout(Said(pod, api::kAnnotationClaimTimeout));
}

}  // namespace

runtime::AllowList RouterAllowList() { return {{kResolve, {}}}; }

std::set<std::string> RouterUserMethods() { return {kResolve}; }

runtime::UserAccessOptions RouterUserAccess() {
  return {.access = {.verb = "get",
                     .group = std::string(api::ClaimPolicy::kResource.group),
                     .resource = std::string(api::ClaimPolicy::kResource.plural),
                     .ns = "",
                     .name = ""},
          .in_namespace = true};
}

grpc::Status ClaimRouterService::Resolve(grpc::ServerContext* context,
                                         const pb::ResolveRequest* request,
                                         pb::ResolveResponse* response) {
  const absl::Status named = runtime::CheckCallNamespace(*context, request->namespace_());
  return runtime::ToGrpcStatus(named.ok() ? Answer(*request, *response) : named);
}

absl::Status ClaimRouterService::Answer(const pb::ResolveRequest& request,
                                        pb::ResolveResponse& response) {
  const std::string& ns = request.namespace_();
  if (ns.empty()) {
    return InvalidArgumentError("namespace: is required");
  }
  api::Pod pod;
  RETURN_IF_ERROR(Annotate(json::Parse(request.pod_json(), pod), "pod_json"));
  pod.metadata.ns = ns;
  const GateDecision decision = DecideGate(pod, stores_.policies.ByIndex(kByNamespace, ns));
  const bool asks_itself = api::AsksForTicket(pod.metadata);
  response.set_asked_by(asks_itself               ? pb::ResolveResponse::POD
                        : decision.policy.empty() ? pb::ResolveResponse::NOBODY
                                                  : pb::ResolveResponse::POLICY);
  response.set_policy(decision.policy);
  response.mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
  if (response.asked_by() == pb::ResolveResponse::NOBODY) {
    return absl::OkStatus();
  }
  if (std::string why = WhyUnseen(ns, decision.policy); !why.empty()) {
    response.add_warnings(std::move(why));
    return absl::OkStatus();
  }
  for (const api::FieldError& problem : decision.problems) {
    response.add_refusals(api::Render(problem));
  }
  if (decision.gates) {
    const api::Pod asking = Saying(std::move(pod), decision.annotations);
    Render(asking, *response.mutable_wish());
    response.set_gated(true);
    AskForOffer(ns, asking, decision.only_with_ticket, response);
  }
  return absl::OkStatus();
}

std::string ClaimRouterService::WhyUnseen(const std::string& ns, const std::string& policy) const {
  const auto configuration = stores_.configurations.Get({"", kPodsConfiguration});
  if (configuration == nullptr) {
    return Explain(Coverage::kNoWebhook);
  }
  Coverage coverage = CoverageOf(*configuration, ns);
  if (const auto decides = policy.empty() ? nullptr : stores_.policies.Get({ns, policy})) {
    coverage = CoverageOf(*configuration, *decides);
  }
  const bool seen = coverage == Coverage::kServed || coverage == Coverage::kServedUnlessDown;
  return seen ? "" : Explain(coverage);
}

void ClaimRouterService::AskForOffer(const std::string& ns, const api::Pod& pod,
                                     bool only_with_ticket, pb::ResolveResponse& response) {
  absl::StatusOr<Offer> offer = desk_.Ask(ns, json::Print(pod));
  if (!offer.ok()) {
    response.set_unknown(std::string(Message(offer.status())));
    return;
  }
  if (offer->fits) {
    response.mutable_ticket()->set_name(offer->ticket);
    response.mutable_ticket()->set_order(offer->order);
    response.mutable_ticket()->set_node(offer->node);
    return;
  }
  response.mutable_none()->set_message(offer->message);
  response.mutable_none()->mutable_help()->Assign(offer->help.begin(), offer->help.end());
  if (only_with_ticket) {
    response.set_gated(false);
    response.add_refusals(
        absl::StrCat("the pod is to be refused when no ticket fits it: ", offer->message));
  }
}

}  // namespace korder::admission
