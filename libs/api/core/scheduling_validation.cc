#include "api/core/scheduling_validation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/meta/dns_name.h"
#include "api/meta/enum_names.h"

namespace korder::api {
namespace {

using Choices = std::span<const std::string_view>;

constexpr auto kNodeOperators =
    std::to_array<std::string_view>({"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"});
constexpr auto kFieldOperators = std::to_array<std::string_view>({"In", "NotIn"});
constexpr auto kTolerationOperators = std::to_array<std::string_view>({"Exists", "Equal"});
constexpr auto kEffects =
    std::to_array<std::string_view>({kEffectNoSchedule, kEffectPreferNoSchedule, kEffectNoExecute});
constexpr auto kWhenUnsatisfiable =
    std::to_array<std::string_view>({"DoNotSchedule", "ScheduleAnyway"});
constexpr auto kInclusionPolicies = std::to_array<std::string_view>({"Honor", "Ignore"});
constexpr int32_t kMaxWeight = 100;

void CheckChoice(std::string_view value, Choices choices, const FieldPath& path,
                 Problems& problems) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    problems.Add(path, value, MustBeOneOf(choices));
  }
}

void CheckKey(std::string_view key, const FieldPath& path, Problems& problems) {
  problems.AddIf(path, key, key.empty() ? "is required" : LabelKeyProblem(key));
}

void CheckWeight(int32_t weight, const FieldPath& path, Problems& problems) {
  if (weight < 1 || weight > kMaxWeight) {
    problems.Add(path, std::to_string(weight), "must be 1 to 100");
  }
}

bool IsInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

void ValidateExpression(const NodeSelectorRequirement& requirement, const FieldPath& path,
                        Problems& problems) {
  const std::string& op = requirement.op;
  const std::vector<std::string>& values = requirement.values;
  CheckKey(requirement.key, path / "key", problems);
  CheckChoice(op, kNodeOperators, path / "operator", problems);
  if ((op == "In" || op == "NotIn") && values.empty()) {
    problems.Missing(path / "values", "at least one value is needed for " + op);
  }
  if ((op == "Exists" || op == "DoesNotExist") && !values.empty()) {
    problems.Missing(path / "values", "no value is allowed for " + op);
  }
  if ((op == "Gt" || op == "Lt") && (values.size() != 1 || !IsInteger(values[0]))) {
    problems.Add(path / "values", values.empty() ? "" : values[0],
                 "exactly one value, an integer, is needed for " + op);
  }
  for (size_t i = 0; i < values.size() && (op == "In" || op == "NotIn"); ++i) {
    problems.AddIf((path / "values")[i], values[i], LabelValueProblem(values[i]));
  }
}

void ValidateField(const NodeSelectorRequirement& requirement, const FieldPath& path,
                   Problems& problems) {
  if (requirement.key != kFieldNodeName) {
    problems.Add(path / "key", requirement.key, "must be metadata.name");
  }
  CheckChoice(requirement.op, kFieldOperators, path / "operator", problems);
  if (requirement.values.size() != 1) {
    problems.Missing(path / "values", "exactly one value is needed");
  } else {
    problems.AddIf((path / "values")[0], requirement.values[0],
                   DnsSubdomainProblem(requirement.values[0]));
  }
}

void ValidateTerm(const NodeSelectorTerm& term, const FieldPath& path, Problems& problems) {
  for (size_t i = 0; i < term.match_expressions.size(); ++i) {
    ValidateExpression(term.match_expressions[i], (path / "matchExpressions")[i], problems);
  }
  for (size_t i = 0; i < term.match_fields.size(); ++i) {
    ValidateField(term.match_fields[i], (path / "matchFields")[i], problems);
  }
}

void ValidateNodeAffinity(const NodeAffinity& affinity, const FieldPath& path, Problems& problems) {
  const FieldPath required = path / "requiredDuringSchedulingIgnoredDuringExecution";
  const FieldPath preferred = path / "preferredDuringSchedulingIgnoredDuringExecution";
  if (affinity.required.has_value()) {
    const FieldPath terms = required / "nodeSelectorTerms";
    if (affinity.required->terms.empty()) {
      problems.Missing(terms, "at least one term is needed");
    }
    for (size_t i = 0; i < affinity.required->terms.size(); ++i) {
      ValidateTerm(affinity.required->terms[i], terms[i], problems);
    }
  }
  for (size_t i = 0; i < affinity.preferred.size(); ++i) {
    CheckWeight(affinity.preferred[i].weight, preferred[i] / "weight", problems);
    ValidateTerm(affinity.preferred[i].preference, preferred[i] / "preference", problems);
  }
}

void ValidateSelector(const std::optional<LabelSelector>& selector, const FieldPath& path,
                      Problems& problems) {
  if (selector.has_value()) {
    problems.Append(Validate(*selector, path.text()));
  }
}

// `keys` chooses labels of the pod itself, which only makes sense beside a selector.
void ValidateLabelKeys(const std::vector<std::string>& keys,
                       const std::optional<LabelSelector>& selector, const FieldPath& path,
                       Problems& problems) {
  if (!keys.empty() && !selector.has_value()) {
    problems.Missing(path, "needs a labelSelector");
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    CheckKey(keys[i], path[i], problems);
  }
}

void ValidatePodTerm(const PodAffinityTerm& term, const FieldPath& path, Problems& problems) {
  ValidateSelector(term.label_selector, path / "labelSelector", problems);
  ValidateSelector(term.namespace_selector, path / "namespaceSelector", problems);
  for (size_t i = 0; i < term.namespaces.size(); ++i) {
    problems.AddIf((path / "namespaces")[i], term.namespaces[i],
                   DnsLabelProblem(term.namespaces[i]));
  }
  CheckKey(term.topology_key, path / "topologyKey", problems);
  ValidateLabelKeys(term.match_label_keys, term.label_selector, path / "matchLabelKeys", problems);
  ValidateLabelKeys(term.mismatch_label_keys, term.label_selector, path / "mismatchLabelKeys",
                    problems);
}

void ValidatePodAffinity(const PodAffinity& affinity, const FieldPath& path, Problems& problems) {
  const FieldPath required = path / "requiredDuringSchedulingIgnoredDuringExecution";
  const FieldPath preferred = path / "preferredDuringSchedulingIgnoredDuringExecution";
  for (size_t i = 0; i < affinity.required.size(); ++i) {
    ValidatePodTerm(affinity.required[i], required[i], problems);
  }
  for (size_t i = 0; i < affinity.preferred.size(); ++i) {
    CheckWeight(affinity.preferred[i].weight, preferred[i] / "weight", problems);
    ValidatePodTerm(affinity.preferred[i].pod_affinity_term, preferred[i] / "podAffinityTerm",
                    problems);
  }
}

void ValidateToleration(const Toleration& toleration, const FieldPath& path, Problems& problems) {
  const bool exists = toleration.op == "Exists";
  if (!toleration.op.empty()) {
    CheckChoice(toleration.op, kTolerationOperators, path / "operator", problems);
  }
  if (!toleration.key.empty()) {
    CheckKey(toleration.key, path / "key", problems);
  } else if (!exists) {
    problems.Missing(path / "key", "is required unless the operator is Exists");
  }
  if (exists && !toleration.value.empty()) {
    problems.Add(path / "value", toleration.value, "no value is allowed for Exists");
  } else {
    problems.AddIf(path / "value", toleration.value, LabelValueProblem(toleration.value));
  }
  if (!toleration.effect.empty()) {
    CheckChoice(toleration.effect, kEffects, path / "effect", problems);
  }
  if (toleration.toleration_seconds.has_value() && toleration.effect != kEffectNoExecute) {
    problems.Add(path / "effect", toleration.effect,
                 "must be NoExecute when tolerationSeconds is set");
  }
}

void ValidateConstraint(const TopologySpreadConstraint& constraint, const FieldPath& path,
                        Problems& problems) {
  if (constraint.max_skew < 1) {
    problems.Add(path / "maxSkew", std::to_string(constraint.max_skew), "must be 1 or more");
  }
  CheckKey(constraint.topology_key, path / "topologyKey", problems);
  CheckChoice(constraint.when_unsatisfiable, kWhenUnsatisfiable, path / "whenUnsatisfiable",
              problems);
  ValidateSelector(constraint.label_selector, path / "labelSelector", problems);
  ValidateLabelKeys(constraint.match_label_keys, constraint.label_selector, path / "matchLabelKeys",
                    problems);
  if (constraint.min_domains.has_value()) {
    const std::string value = std::to_string(*constraint.min_domains);
    if (*constraint.min_domains < 1) {
      problems.Add(path / "minDomains", value, "must be 1 or more");
    }
    if (constraint.when_unsatisfiable != "DoNotSchedule") {
      problems.Add(path / "minDomains", value, "needs whenUnsatisfiable: DoNotSchedule");
    }
  }
  if (!constraint.node_affinity_policy.empty()) {
    CheckChoice(constraint.node_affinity_policy, kInclusionPolicies, path / "nodeAffinityPolicy",
                problems);
  }
  if (!constraint.node_taints_policy.empty()) {
    CheckChoice(constraint.node_taints_policy, kInclusionPolicies, path / "nodeTaintsPolicy",
                problems);
  }
}

}  // namespace

void ValidateNodeSelector(const Labels& selector, const FieldPath& path, Problems& problems) {
  problems.Append(CheckLabels(selector, path.text()));
}

void ValidateAffinity(const Boxed<Affinity>& affinity, const FieldPath& path, Problems& problems) {
  if (!affinity.has_value()) {
    return;
  }
  if (affinity->node_affinity.has_value()) {
    ValidateNodeAffinity(*affinity->node_affinity, path / "nodeAffinity", problems);
  }
  if (affinity->pod_affinity.has_value()) {
    ValidatePodAffinity(*affinity->pod_affinity, path / "podAffinity", problems);
  }
  if (affinity->pod_anti_affinity.has_value()) {
    ValidatePodAffinity(*affinity->pod_anti_affinity, path / "podAntiAffinity", problems);
  }
}

void ValidateTolerations(const std::vector<Toleration>& tolerations, const FieldPath& path,
                         Problems& problems) {
  for (size_t i = 0; i < tolerations.size(); ++i) {
    ValidateToleration(tolerations[i], path[i], problems);
  }
}

void ValidateTopologySpread(const std::vector<TopologySpreadConstraint>& constraints,
                            const FieldPath& path, Problems& problems) {
  for (size_t i = 0; i < constraints.size(); ++i) {
    ValidateConstraint(constraints[i], path[i], problems);
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (constraints[earlier].topology_key == constraints[i].topology_key &&
          constraints[earlier].when_unsatisfiable == constraints[i].when_unsatisfiable) {
        problems.Add(path[i] / "topologyKey", constraints[i].topology_key,
                     "stands there twice with the same whenUnsatisfiable");
        break;
      }
    }
  }
}

}  // namespace korder::api
