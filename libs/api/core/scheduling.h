// Where a pod may run: tolerations, affinity, spreading. The same types serve pods and tickets.
//
//   NodeSelectorTerm term;
//   term.match_fields = {{.key = "metadata.name", .op = "In", .values = {node}}};
//   pod.spec.affinity.emplace().node_affinity.emplace().required.emplace().terms = {term};
//
// Operators, effects and policies are strings: a newer Kubernetes may know more of them than we do,
// and what we only pass on must not fail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/value/label_selector.h"
#include "api/value/labels.h"
#include "json/fields.h"

namespace korder::api {

inline constexpr std::string_view kEffectNoSchedule = "NoSchedule";
inline constexpr std::string_view kEffectPreferNoSchedule = "PreferNoSchedule";
inline constexpr std::string_view kEffectNoExecute = "NoExecute";
inline constexpr std::string_view kFieldNodeName = "metadata.name";  // the one key of matchFields

struct Toleration {
  std::string key;
  std::string op;  // "Equal" when empty
  std::string value;
  std::string effect;  // every effect when empty
  std::optional<int64_t> toleration_seconds;

  bool operator==(const Toleration&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("key", self.key);
    v("operator", self.op);
    v("value", self.value);
    v("effect", self.effect);
    v("tolerationSeconds", self.toleration_seconds);
  }
};

struct NodeSelectorRequirement {
  std::string key;
  std::string op;  // In, NotIn, Exists, DoesNotExist, Gt, Lt
  std::vector<std::string> values;

  bool operator==(const NodeSelectorRequirement&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("key", self.key);
    v("operator", self.op);
    v("values", self.values);
  }
};

// All requirements must hold; a term without any matches nothing.
struct NodeSelectorTerm {
  std::vector<NodeSelectorRequirement> match_expressions;
  std::vector<NodeSelectorRequirement> match_fields;

  bool operator==(const NodeSelectorTerm&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("matchExpressions", self.match_expressions);
    v("matchFields", self.match_fields);
  }
};

// One of the terms must match.
struct NodeSelector {
  std::vector<NodeSelectorTerm> terms;

  bool operator==(const NodeSelector&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("nodeSelectorTerms", self.terms);
  }
};

struct PreferredSchedulingTerm {
  int32_t weight = 1;
  NodeSelectorTerm preference;

  bool operator==(const PreferredSchedulingTerm&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("weight", self.weight);
    v("preference", self.preference);
  }
};

struct NodeAffinity {
  std::optional<NodeSelector> required;
  std::vector<PreferredSchedulingTerm> preferred;

  bool operator==(const NodeAffinity&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("requiredDuringSchedulingIgnoredDuringExecution", self.required);
    v("preferredDuringSchedulingIgnoredDuringExecution", self.preferred);
  }
};

struct PodAffinityTerm {
  std::optional<LabelSelector> label_selector;      // absent matches no pod
  std::optional<LabelSelector> namespace_selector;  // empty matches every namespace
  std::vector<std::string> namespaces;
  std::string topology_key;
  std::vector<std::string> match_label_keys;
  std::vector<std::string> mismatch_label_keys;

  bool operator==(const PodAffinityTerm&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("labelSelector", self.label_selector);
    v("namespaceSelector", self.namespace_selector);
    v("namespaces", self.namespaces);
    v("topologyKey", self.topology_key);
    v("matchLabelKeys", self.match_label_keys);
    v("mismatchLabelKeys", self.mismatch_label_keys);
  }
};

struct WeightedPodAffinityTerm {
  int32_t weight = 1;
  PodAffinityTerm pod_affinity_term;

  bool operator==(const WeightedPodAffinityTerm&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("weight", self.weight);
    v("podAffinityTerm", self.pod_affinity_term);
  }
};

// Serves both podAffinity and podAntiAffinity.
struct PodAffinity {
  std::vector<PodAffinityTerm> required;
  std::vector<WeightedPodAffinityTerm> preferred;

  bool operator==(const PodAffinity&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("requiredDuringSchedulingIgnoredDuringExecution", self.required);
    v("preferredDuringSchedulingIgnoredDuringExecution", self.preferred);
  }
};

struct Affinity {
  std::optional<NodeAffinity> node_affinity;
  std::optional<PodAffinity> pod_affinity;
  std::optional<PodAffinity> pod_anti_affinity;

  bool operator==(const Affinity&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("nodeAffinity", self.node_affinity);
    v("podAffinity", self.pod_affinity);
    v("podAntiAffinity", self.pod_anti_affinity);
  }
};

struct TopologySpreadConstraint {
  int32_t max_skew = 1;
  std::string topology_key;
  std::string when_unsatisfiable;  // DoNotSchedule, ScheduleAnyway
  std::optional<LabelSelector> label_selector;
  std::vector<std::string> match_label_keys;
  std::optional<int32_t> min_domains;
  std::string node_affinity_policy;  // Honor when empty
  std::string node_taints_policy;    // Ignore when empty

  bool operator==(const TopologySpreadConstraint&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("maxSkew", self.max_skew);
    v("topologyKey", self.topology_key);
    v("whenUnsatisfiable", self.when_unsatisfiable);
    v("labelSelector", self.label_selector);
    v("matchLabelKeys", self.match_label_keys);
    v("minDomains", self.min_domains);
    v("nodeAffinityPolicy", self.node_affinity_policy);
    v("nodeTaintsPolicy", self.node_taints_policy);
  }
};

}  // namespace korder::api
