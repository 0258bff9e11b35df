#include "admission-svc/pod_gate.h"

#include "api/admission/json_patch.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/names.h"

namespace korder::admission {
namespace {

// Set by a kubelet on the copy of a static pod, which runs already.
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";

// Why the API server would refuse a gate on this pod, or a gate would mean nothing; "" otherwise.
std::string_view WhyNotGated(const api::Pod& pod) {
  if (pod.metadata.annotations.contains(kMirrorAnnotation)) {
    return "it is the mirror of a static pod, which the kubelet runs without the scheduler";
  }
  if (api::IsBound(pod)) {
    return "its spec.nodeName is set, so it passes by the scheduler";
  }
  return "";
}

std::string GatePatch(const api::Pod& pod) {
  api::JsonPatch patch;
  if (!HasGate(pod, api::kGateClaim)) {
    const api::PodSchedulingGate gate{std::string(api::kGateClaim)};
    if (pod.spec.scheduling_gates.empty()) {
      patch.Add({"spec", "schedulingGates"}, std::vector<api::PodSchedulingGate>{gate});
    } else {
      patch.Add({"spec", "schedulingGates", "-"}, gate);
    }
  }
  if (api::ValueOf(pod.metadata.labels, api::kLabelClaim) != api::kClaimPending) {
    const std::string pending(api::kClaimPending);
    if (pod.metadata.labels.empty()) {
      patch.Add({"metadata", "labels"}, api::Labels{{std::string(api::kLabelClaim), pending}});
    } else {
      patch.Add({"metadata", "labels", api::kLabelClaim}, pending);
    }
  }
  return patch.Take();
}

}  // namespace

GateDecision DecideGate(const api::Pod& pod) {
  GateDecision decision;
  if (!api::AsksForTicket(pod.metadata)) {
    return decision;
  }
  if (const std::string_view why = WhyNotGated(pod); !why.empty()) {
    decision.warnings.push_back("this pod asks for a korder ticket and gets none: " +
                                std::string(why));
    return decision;
  }
  api::ParsedClaimRequest asked = ParseClaimRequest(pod.metadata);
  if (!asked.problems.empty()) {
    decision.problems = std::move(asked.problems);
    return decision;
  }
  decision.patch = GatePatch(pod);
  decision.only_with_ticket = asked.request.fallback == api::ClaimFallback::kDeny;
  return decision;
}

}  // namespace korder::admission
