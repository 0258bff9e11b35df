#include "api/core/pod.h"

#include <catch2/catch.hpp>

#include "api/testing/from_json.h"

namespace korder::api {
namespace {

// What an API server returns for a gated pod, with much that korder does not know.
constexpr char kPod[] = R"({
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {
    "annotations": {"korder.dev/required": "true", "korder.dev/order": "my-order"},
    "creationTimestamp": "2030-01-02T03:04:05Z", "generateName": "web-6d4b75cb6d-",
    "generation": 1,
    "labels": {"app": "web", "pod-template-hash": "6d4b75cb6d", "korder.dev/claim": "pending"},
    "managedFields": [{"apiVersion": "v1", "fieldsType": "FieldsV1",
      "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}},
      "manager": "kube-controller-manager", "operation": "Update",
      "time": "2030-01-02T03:04:05Z"}],
    "name": "web-6d4b75cb6d-9hx2k", "namespace": "default",
    "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
      "kind": "ReplicaSet", "name": "web-6d4b75cb6d", "uid": "5f6e"}],
    "resourceVersion": "871", "uid": "aa11"},
  "spec": {
    "affinity": {
      "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
          {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}],
           "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-3"]}]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
          {"preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]},
           "weight": 7}]},
      "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"podAffinityTerm": {"labelSelector": {"matchLabels": {"app": "web"}},
          "matchLabelKeys": ["pod-template-hash"], "topologyKey": "kubernetes.io/hostname"},
         "weight": 100}]}},
    "containers": [{
      "image": "nginx:1.29", "imagePullPolicy": "IfNotPresent", "name": "app",
      "ports": [{"containerPort": 80, "protocol": "TCP"}],
      "resources": {"limits": {"cpu": "1", "memory": "2Gi", "nvidia.com/gpu": "1"},
                    "requests": {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"}},
      "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"}},
      "terminationMessagePath": "/dev/termination-log",
      "volumeMounts": [{"mountPath": "/var/run/secrets", "name": "kube-api-access-x"}]}],
    "dnsPolicy": "ClusterFirst", "enableServiceLinks": true,
    "initContainers": [{"image": "proxy:2", "name": "proxy", "resources": {},
                        "restartPolicy": "Always"}],
    "nodeSelector": {"node-type": "compute"},
    "overhead": {"cpu": "250m", "memory": "120Mi"},
    "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
    "resources": {"limits": {"cpu": "2"}},
    "restartPolicy": "Always", "schedulerName": "default-scheduler",
    "schedulingGates": [{"name": "korder.dev/claim"}, {"name": "example.com/other"}],
    "securityContext": {}, "serviceAccount": "default", "serviceAccountName": "default",
    "terminationGracePeriodSeconds": 30,
    "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready",
                     "operator": "Exists", "tolerationSeconds": 300}],
    "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": "web"}}, "maxSkew": 1,
      "minDomains": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
    "volumes": [{"name": "kube-api-access-x", "projected": {"defaultMode": 420}}]},
  "status": {
    "conditions": [{"lastProbeTime": null, "lastTransitionTime": "2030-01-02T03:04:05Z",
      "message": "Scheduling is blocked due to non-empty scheduling gates", "observedGeneration": 1,
      "reason": "SchedulingGated", "status": "False", "type": "PodScheduled"}],
    "nominatedNodeName": "node-3", "phase": "Pending", "qosClass": "Burstable"}})";

TEST_CASE("pod: what an API server returns is read, unknown fields and all", "[pod]") {
  const auto pod = FromJson<Pod>(kPod);
  CHECK(pod.metadata.name == "web-6d4b75cb6d-9hx2k");
  CHECK(ControllerOf(pod.metadata)->kind == "ReplicaSet");
  CHECK(pod.spec.priority == 0);
  CHECK(pod.spec.termination_grace_period_seconds == 30);
  CHECK(pod.spec.containers.at(0).resources.requests.at("memory").ToString() == "1Gi");
  CHECK(pod.spec.containers[0].security_context->run_as_user == 65532);
  CHECK(pod.spec.init_containers.at(0).restart_policy == "Always");
  CHECK(pod.spec.resources->limits.size() == 1);
  CHECK(pod.spec.tolerations.at(0).toleration_seconds == 300);
  CHECK(pod.spec.topology_spread_constraints.at(0).min_domains == 2);
  const Affinity& affinity = *pod.spec.affinity;
  CHECK(affinity.node_affinity->required->terms.at(0).match_fields.at(0).values.at(0) == "node-3");
  CHECK(affinity.node_affinity->preferred.at(0).weight == 7);
  CHECK_FALSE(affinity.pod_affinity.has_value());
  CHECK(affinity.pod_anti_affinity->preferred.at(0).pod_affinity_term.match_label_keys.at(0) ==
        "pod-template-hash");
  CHECK(pod.status.nominated_node_name == "node-3");
}

TEST_CASE("pod: what was read is written back as it was", "[pod]") {
  const auto pod = FromJson<Pod>(kPod);
  const std::string text = json::Print(pod);
  CHECK(FromJson<Pod>(text) == pod);
  CHECK(json::Print(FromJson<Pod>(text)) == text);
}

TEST_CASE("pod: a new pod is written without anything that was not set", "[pod]") {
  Pod pod;
  pod.metadata.name = "web-0-g1";
  pod.spec.containers = {{.name = "guardian", .image = "pause"}};
  pod.spec.termination_grace_period_seconds = 0;
  pod.spec.enable_service_links = false;
  CHECK(json::Print(pod) ==
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0-g1"},"spec":{)"
        R"("containers":[{"name":"guardian","image":"pause"}],"terminationGracePeriodSeconds":0,)"
        R"("enableServiceLinks":false}})");
}

TEST_CASE("pod: an empty selector is not an absent one", "[pod]") {
  const auto term = FromJson<PodAffinityTerm>(
      R"({"labelSelector":{},"namespaceSelector":null,"topologyKey":"zone"})");
  CHECK(term.label_selector.has_value());
  CHECK_FALSE(term.namespace_selector.has_value());
  CHECK(json::Print(term) == R"({"labelSelector":{},"topologyKey":"zone"})");
}

TEST_CASE("pod: gates, binding and end of life are told apart", "[pod]") {
  auto pod = FromJson<Pod>(kPod);
  CHECK(HasGate(pod, "korder.dev/claim"));
  CHECK_FALSE(HasGate(pod, "korder.dev"));
  CHECK_FALSE(IsBound(pod));
  CHECK_FALSE(IsTerminal(pod));
  pod.spec.node_name = "node-3";
  pod.status.phase = kPodSucceeded;
  CHECK(IsBound(pod));
  CHECK(IsTerminal(pod));
  pod.status.phase = kPodFailed;
  CHECK(IsTerminal(pod));
  pod.status.phase = kPodRunning;
  CHECK_FALSE(IsTerminal(pod));
}

TEST_CASE("pod: only the scheduler's own refusal makes a pod unschedulable", "[pod]") {
  auto pod = FromJson<Pod>(kPod);
  CHECK(Unschedulable(pod) == nullptr);  // gated, not refused
  pod.status.conditions[0].reason = "Unschedulable";
  pod.status.conditions[0].message = "0/10 nodes are available";
  REQUIRE(Unschedulable(pod) != nullptr);
  CHECK(Unschedulable(pod)->message == "0/10 nodes are available");
  pod.status.conditions[0].status = "True";
  CHECK(Unschedulable(pod) == nullptr);
}

}  // namespace
}  // namespace korder::api
