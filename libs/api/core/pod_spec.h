// What a pod asks for: containers, resources, placement. The fields korder reads or sets; the rest
// of a pod's spec is skipped when reading, so never write back a whole pod that others made: patch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/core/pod_security.h"
#include "api/core/resources.h"
#include "api/core/scheduling.h"
#include "base/boxed.h"
#include "json/fields.h"

namespace korder::api {

struct Container {
  std::string name;
  std::string image;
  std::string image_pull_policy;
  ResourceRequirements resources;
  std::string restart_policy;  // "Always" makes an init container a sidecar
  Boxed<SecurityContext> security_context;

  bool operator==(const Container&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("image", self.image);
    v("imagePullPolicy", self.image_pull_policy);
    v("resources", self.resources);
    v("restartPolicy", self.restart_policy);
    v("securityContext", self.security_context);
  }
};

struct PodSchedulingGate {
  std::string name;

  bool operator==(const PodSchedulingGate&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
  }
};

struct LocalObjectReference {
  std::string name;

  bool operator==(const LocalObjectReference&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
  }
};

struct PodSpec {
  std::string node_name;  // empty until the pod is bound
  std::string scheduler_name;
  std::optional<int32_t> priority;
  std::string priority_class_name;
  std::string preemption_policy;
  std::vector<PodSchedulingGate> scheduling_gates;
  Labels node_selector;
  Boxed<Affinity> affinity;
  std::vector<Toleration> tolerations;
  std::vector<TopologySpreadConstraint> topology_spread_constraints;
  std::vector<Container> init_containers;
  std::vector<Container> containers;
  ResourceList overhead;
  Boxed<ResourceRequirements> resources;  // of the pod as a whole
  std::string restart_policy;
  std::optional<int64_t> termination_grace_period_seconds;
  std::string service_account_name;
  std::optional<bool> automount_service_account_token;
  std::optional<bool> enable_service_links;
  std::vector<LocalObjectReference> image_pull_secrets;
  Boxed<PodSecurityContext> security_context;

  bool operator==(const PodSpec&) const = default;
  friend bool IsEmptyJson(const PodSpec& spec) { return spec == PodSpec{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("nodeName", self.node_name);
    v("schedulerName", self.scheduler_name);
    v("priority", self.priority);
    v("priorityClassName", self.priority_class_name);
    v("preemptionPolicy", self.preemption_policy);
    v("schedulingGates", self.scheduling_gates);
    v("nodeSelector", self.node_selector);
    v("affinity", self.affinity);
    v("tolerations", self.tolerations);
    v("topologySpreadConstraints", self.topology_spread_constraints);
    v("initContainers", self.init_containers);
    v("containers", self.containers);
    v("overhead", self.overhead);
    v("resources", self.resources);
    v("restartPolicy", self.restart_policy);
    v("terminationGracePeriodSeconds", self.termination_grace_period_seconds);
    v("serviceAccountName", self.service_account_name);
    v("automountServiceAccountToken", self.automount_service_account_token);
    v("enableServiceLinks", self.enable_service_links);
    v("imagePullSecrets", self.image_pull_secrets);
    v("securityContext", self.security_context);
  }
};

}  // namespace korder::api
