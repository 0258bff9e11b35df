#include "kube/testing/fake/pod_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/json_patch.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube::fake {
namespace {

bool IsGated(const Json& pod) { return !pod.ArrayAt({"spec", "schedulingGates"}).empty(); }

std::string NodeOf(const Json& pod) { return pod.TextAt({"spec", "nodeName"}); }

HttpResponse Forbidden(const ApiCall& call, std::string_view field, std::string_view message) {
  return Invalid(call, "Pod", call.key.name,
                 {{"FieldValueForbidden", std::string(field),
                   absl::StrCat("Forbidden: ", std::string(message))}});
}

void SetDefault(Json& object, std::string_view key, const Json& value) {
  if (object.Find(key) == nullptr) {
    object[key] = value;
  }
}

Json ScheduledCondition(std::string_view status) {
  Json condition;
  condition["type"] = Json::String("PodScheduled");
  condition["status"] = Json::String(status);
  return condition;
}

void SetCondition(Json& pod, const Json& condition) {
  Json patch;
  patch["status"]["conditions"] = Json::Of(Json::Array{condition});
  StrategicMergePatch(pod, patch);
}

// Members of a spec that may change: always, or while the pod is gated.
constexpr std::array<std::string_view, 6> kMutable = {
    "activeDeadlineSeconds",         "containers", "initContainers", "schedulingGates",
    "terminationGracePeriodSeconds", "tolerations"};
constexpr std::array<std::string_view, 2> kMutableWhileGated = {"affinity", "nodeSelector"};

Refusal CheckSpec(const ApiCall& call, const Json& was, const Json& is) {
  Json before = was["spec"];
  Json after = is["spec"];
  const Json::Array& gates = was.ArrayAt({"spec", "schedulingGates"});
  for (const Json& gate : is.ArrayAt({"spec", "schedulingGates"})) {
    if (std::find(gates.begin(), gates.end(), gate) == gates.end()) {
      return Forbidden(call, "spec.schedulingGates",
                       absl::StrCat("only deletion is allowed, but found new scheduling gate '",
                                    gate.TextAt({"name"}), "'"));
    }
  }
  for (const std::string_view key : kMutable) {
    before.Erase(key);
    after.Erase(key);
  }
  if (IsGated(was)) {
    for (const std::string_view key : kMutableWhileGated) {
      before.Erase(key);
      after.Erase(key);
    }
  }
  if (before != after) {
    return Forbidden(
        call, "spec",
        "pod updates may not change fields other than "
        "`spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if "
        "it was previously negative)");
  }
  return std::nullopt;
}

}  // namespace

Refusal PreparePodCreate(const ApiCall& call, Json& pod) {
  Json& spec = pod["spec"];
  SetDefault(spec, "restartPolicy", Json::String("Always"));
  SetDefault(spec, "schedulerName", Json::String("default-scheduler"));
  SetDefault(spec, "terminationGracePeriodSeconds", Json::Int(30));
  pod["status"]["phase"] = Json::String("Pending");
  if (!IsGated(pod)) {
    return std::nullopt;
  }
  if (!NodeOf(pod).empty()) {
    ApiCall named = call;
    named.key.name = pod.TextAt({"metadata", "name"});
    return Forbidden(named, "spec.nodeName",
                     "cannot be set until all schedulingGates have been cleared");
  }
  Json condition = ScheduledCondition("False");
  condition["reason"] = Json::String("SchedulingGated");
  condition["message"] = Json::String("Scheduling is blocked due to non-empty scheduling gates");
  SetCondition(pod, condition);
  return std::nullopt;
}

Refusal CheckPodUpdate(const ApiCall& call, const Json& was, const Json& is) {
  const std::string nominated = is.TextAt({"status", "nominatedNodeName"});
  if (!NodeOf(was).empty() && !nominated.empty() &&
      nominated != was.TextAt({"status", "nominatedNodeName"})) {
    return Forbidden(call, "status.nominatedNodeName",
                     "may not be set on a pod that is bound to a node");
  }
  return CheckSpec(call, was, is);
}

Refusal BindPod(const ApiCall& call, const Json& binding, absl::Time now, Json& pod) {
  ApiCall about = call;
  about.resource.plural = "pods/binding";
  const std::string& name = call.key.name;
  const std::string uid = binding.TextAt({"metadata", "uid"});
  if (!uid.empty() && uid != pod.TextAt({"metadata", "uid"})) {
    return Conflict(about, absl::StrCat("Precondition failed: UID in precondition: ", uid,
                                        ", UID in object meta: ", pod.TextAt({"metadata", "uid"})));
  }
  if (pod.At({"metadata", "deletionTimestamp"}) != nullptr) {
    return Conflict(about,
                    absl::StrCat("pod ", name, " is being deleted, cannot be assigned to a host"));
  }
  if (!NodeOf(pod).empty()) {
    return Conflict(
        about, absl::StrCat("pod ", name, " is already assigned to node \"", NodeOf(pod), "\""));
  }
  if (IsGated(pod)) {
    return Conflict(about, absl::StrCat("pod ", name, " has non-empty .spec.schedulingGates"));
  }
  pod["status"].Erase("nominatedNodeName");
  pod["spec"]["nodeName"] = Json::String(binding.TextAt({"target", "name"}));
  Json condition = ScheduledCondition("True");
  condition["lastTransitionTime"] = TimeValue(now);
  SetCondition(pod, condition);
  return std::nullopt;
}

int64_t GracePeriod(const Json& pod, std::optional<int64_t> asked_for) {
  const std::string phase = pod.TextAt({"status", "phase"});
  if (NodeOf(pod).empty() || phase == "Succeeded" || phase == "Failed") {
    return 0;
  }
  return std::max<int64_t>(
      0, asked_for.value_or(pod.IntAt({"spec", "terminationGracePeriodSeconds"})));
}

}  // namespace korder::kube::fake
