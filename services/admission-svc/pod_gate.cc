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

// Adds `entries` to a map of the metadata that holds `present` now.
void AddEntries(api::JsonPatch& patch, std::string_view map, const api::Labels& present,
                const api::Labels& entries) {
  if (present.empty() && !entries.empty()) {
    patch.Add({"metadata", map}, entries);
    return;
  }
  for (const auto& [key, value] : entries) {
    patch.Add({"metadata", map, key}, value);
  }
}

std::string GatePatch(const api::Pod& pod, const api::Labels& annotations) {
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
    AddEntries(patch, "labels", pod.metadata.labels,
               {{std::string(api::kLabelClaim), std::string(api::kClaimPending)}});
  }
  AddEntries(patch, "annotations", pod.metadata.annotations, annotations);
  return patch.Take();
}

}  // namespace

GateDecision DecideGate(const api::Pod& pod, const std::vector<PolicyPtr>& policies) {
  GateDecision decision;
  const bool asks_itself = api::AsksForTicket(pod.metadata);
  const api::ClaimPolicy* policy = asks_itself ? nullptr : PolicyFor(pod, policies);
  if (!asks_itself && policy == nullptr) {
    return decision;
  }
  if (const std::string_view why = WhyNotGated(pod); !why.empty()) {
    if (asks_itself) {
      decision.warnings.push_back("this pod asks for a korder ticket and gets none: " +
                                  std::string(why));
    }
    return decision;
  }
  api::Labels settings = policy == nullptr ? api::Labels{} : SettingsFor(pod, *policy);
  decision.policy = policy == nullptr ? "" : policy->metadata.name;
  api::ParsedClaimRequest asked = ParseClaimRequest(Saying(pod, settings).metadata);
  if (!asked.problems.empty()) {
    decision.problems = std::move(asked.problems);
    return decision;
  }
  decision.gates = true;
  decision.patch = GatePatch(pod, settings);
  decision.only_with_ticket = asked.request.fallback == api::ClaimFallback::kDeny;
  decision.annotations = std::move(settings);
  return decision;
}

api::Pod Saying(api::Pod pod, const api::Labels& annotations) {
  for (const auto& [key, value] : annotations) {
    pod.metadata.annotations[key] = value;
  }
  return pod;
}

}  // namespace korder::admission
