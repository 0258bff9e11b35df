// Decides what happens to a pod that is about to be created. Reads the pod and the ClaimPolicies of
// its namespace; writes nothing, asks nobody, and touches nothing of the pod but one scheduling
// gate, one label, and for a pod that a policy makes ask, korder's annotations.
//
//   const GateDecision decision = DecideGate(pod, policies);
//   // [{"op":"add","path":"/spec/schedulingGates","value":[{"name":"korder.dev/claim"}]}, ...]
//
// Deciding again about the pod that the patch makes yields an empty patch, so the API server may
// call as often as it likes.
#pragma once

#include <string>
#include <vector>

#include "admission-svc/claim_route.h"
#include "api/core/pod.h"
#include "api/value/field_error.h"
#include "api/value/labels.h"

namespace korder::admission {

struct GateDecision {
  // What is malformed in the pod's request; then the pod is refused and the rest is empty.
  std::vector<api::FieldError> problems;
  // A JSON patch; empty when the pod stays as it is.
  std::string patch;
  std::vector<std::string> warnings;
  // The pod would rather not exist than wait: it may be created only if a ticket fits it now.
  bool only_with_ticket = false;
  // The pod stands behind the gate, by the patch or already.
  bool gates = false;
  // The policy that has the pod ask, and what it has it say, which the patch adds; empty when the
  // pod asks by itself.
  std::string policy;
  api::Labels annotations;

  bool operator==(const GateDecision&) const = default;
};

// `pod` is as the API server sends it at CREATE: perhaps without a name, never with a UID.
GateDecision DecideGate(const api::Pod& pod, const std::vector<PolicyPtr>& policies);

// The pod with what a policy has it say.
api::Pod Saying(api::Pod pod, const api::Labels& annotations);

}  // namespace korder::admission
