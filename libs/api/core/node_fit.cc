#include "api/core/node_fit.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace korder::api {
namespace {

const Taint& CordonTaint() {
  static const Taint kTaint{.key = "node.kubernetes.io/unschedulable",
                            .effect = std::string(kEffectNoSchedule)};
  return kTaint;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool Contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// What the scheduler cannot make sense of matches nothing: its whole term fails.
bool MatchesLabels(const NodeSelectorRequirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const bool present = label != labels.end();
  const std::vector<std::string>& values = requirement.values;
  if (requirement.op == "In") {
    return present && Contains(values, label->second);
  }
  if (requirement.op == "NotIn") {
    return !values.empty() && !(present && Contains(values, label->second));
  }
  if (requirement.op == "Exists") {
    return values.empty() && present;
  }
  if (requirement.op == "DoesNotExist") {
    return values.empty() && !present;
  }
  if ((requirement.op == "Gt" || requirement.op == "Lt") && present && values.size() == 1) {
    const std::optional<int64_t> has = ParseInteger(label->second);
    const std::optional<int64_t> bound = ParseInteger(values[0]);
    return has && bound && (requirement.op == "Gt" ? *has > *bound : *has < *bound);
  }
  return false;
}

bool MatchesFields(const NodeSelectorRequirement& requirement, const Node& node) {
  if (requirement.values.size() != 1) {
    return false;
  }
  // A field that is not known reads as empty.
  const std::string_view has =
      requirement.key == kFieldNodeName ? std::string_view(node.metadata.name) : "";
  if (requirement.op == "In") {
    return has == requirement.values[0];
  }
  return requirement.op == "NotIn" && has != requirement.values[0];
}

bool Matches(const NodeSelectorTerm& term, const Node& node) {
  if (term.match_expressions.empty() && term.match_fields.empty()) {
    return false;
  }
  return std::all_of(term.match_expressions.begin(), term.match_expressions.end(),
                     [&](const auto& r) { return MatchesLabels(r, node.metadata.labels); }) &&
         std::all_of(term.match_fields.begin(), term.match_fields.end(),
                     [&](const auto& r) { return MatchesFields(r, node); });
}

bool KeepsPodsAway(const Taint& taint) {
  return taint.effect == kEffectNoSchedule || taint.effect == kEffectNoExecute;
}

bool Tolerated(const Taint& taint, const std::vector<Toleration>& tolerations) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& toleration) { return Tolerates(toleration, taint); });
}

std::string ToString(const Taint& taint) {
  return taint.key + (taint.value.empty() ? "" : "=" + taint.value) + ":" + taint.effect;
}

}  // namespace

bool Matches(const NodeSelector& selector, const Node& node) {
  return std::any_of(selector.terms.begin(), selector.terms.end(),
                     [&](const NodeSelectorTerm& term) { return Matches(term, node); });
}

bool Tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) {
    return false;
  }
  if (!toleration.key.empty() && toleration.key != taint.key) {
    return false;
  }
  if (toleration.op.empty() || toleration.op == "Equal") {
    return toleration.value == taint.value;
  }
  // Comparing operators are an alpha feature of Kubernetes, off by default: they tolerate nothing.
  return toleration.op == "Exists";
}

std::optional<std::string> WhyNodeDoesNotFit(const Placement& placement, const Node& node) {
  if (!placement.node_name.empty() && placement.node_name != node.metadata.name) {
    return "node is not " + placement.node_name;
  }
  for (const auto& [key, value] : placement.node_selector) {
    const auto label = node.metadata.labels.find(key);
    if (label == node.metadata.labels.end() || label->second != value) {
      return absl::StrCat("node does not match nodeSelector ", key, "=", value);
    }
  }
  if (placement.affinity && placement.affinity->node_affinity &&
      placement.affinity->node_affinity->required &&
      !Matches(*placement.affinity->node_affinity->required, node)) {
    return "node does not match the required node affinity";
  }
  if (node.spec.unschedulable && !Tolerated(CordonTaint(), placement.tolerations)) {
    return "node is cordoned";
  }
  for (const Taint& taint : node.spec.taints) {
    if (KeepsPodsAway(taint) && !Tolerated(taint, placement.tolerations)) {
      return "node has taint " + ToString(taint);
    }
  }
  return std::nullopt;
}

}  // namespace korder::api
