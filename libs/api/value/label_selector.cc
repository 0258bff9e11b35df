#include "api/value/label_selector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace korder::api {
namespace {

bool TakesValues(std::string_view op) { return op == "In" || op == "NotIn"; }
bool IsKnown(std::string_view op) {
  return TakesValues(op) || op == "Exists" || op == "DoesNotExist";
}

bool MatchesOne(const LabelSelectorRequirement& requirement, const Labels& labels) {
  const std::string& op = requirement.op;
  if (!IsKnown(op) || TakesValues(op) == requirement.values.empty()) {
    return false;
  }
  const auto it = labels.find(requirement.key);
  const bool there = it != labels.end();
  if (!TakesValues(op)) {
    return there == (op == "Exists");
  }
  const bool listed = there && std::find(requirement.values.begin(), requirement.values.end(),
                                         it->second) != requirement.values.end();
  return listed == (op == "In");  // NotIn also matches what has no such label.
}

std::string Print(const LabelSelectorRequirement& requirement) {
  if (!TakesValues(requirement.op)) {
    return absl::StrCat(requirement.op == "DoesNotExist" ? "!" : "", requirement.key);
  }
  std::vector<std::string> values = requirement.values;
  std::sort(values.begin(), values.end());
  return absl::StrCat(requirement.key, requirement.op == "In" ? " in (" : " notin (",
                      absl::StrJoin(values, ","), ")");
}

void ValidateRequirement(const LabelSelectorRequirement& requirement, const std::string& path,
                         std::vector<FieldError>& errors) {
  if (std::string problem = LabelKeyProblem(requirement.key); !problem.empty()) {
    errors.push_back({path + ".key", requirement.key, std::move(problem)});
  }
  const bool known = IsKnown(requirement.op);
  if (!known) {
    errors.push_back(
        {path + ".operator", requirement.op, "must be In, NotIn, Exists or DoesNotExist"});
  }
  if (known && TakesValues(requirement.op) == requirement.values.empty()) {
    errors.push_back({path + ".values", "",
                      requirement.values.empty() ? "is required for In and NotIn"
                                                 : "must be empty for Exists and DoesNotExist"});
  }
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    if (std::string problem = LabelValueProblem(requirement.values[i]); !problem.empty()) {
      errors.push_back(
          {absl::StrCat(path, ".values[", i, "]"), requirement.values[i], std::move(problem)});
    }
  }
}

}  // namespace

bool LabelSelector::Matches(const Labels& labels) const {
  for (const auto& [key, value] : match_labels) {
    const auto it = labels.find(key);
    if (it == labels.end() || it->second != value) {
      return false;
    }
  }
  return std::all_of(
      match_expressions.begin(), match_expressions.end(),
      [&labels](const auto& requirement) { return MatchesOne(requirement, labels); });
}

std::string LabelSelector::ToString() const {
  std::vector<std::pair<std::string_view, std::string>> terms;
  for (const auto& [key, value] : match_labels) {
    terms.emplace_back(key, absl::StrCat(key, "=", value));
  }
  for (const LabelSelectorRequirement& requirement : match_expressions) {
    terms.emplace_back(requirement.key, Print(requirement));
  }
  std::stable_sort(terms.begin(), terms.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return absl::StrJoin(terms, ",",
                       [](std::string* out, const auto& term) { out->append(term.second); });
}

std::vector<FieldError> Validate(const LabelSelector& selector, std::string_view path) {
  const std::string prefix(path);
  std::vector<FieldError> errors = CheckLabels(selector.match_labels, prefix + ".matchLabels");
  for (size_t i = 0; i < selector.match_expressions.size(); ++i) {
    ValidateRequirement(selector.match_expressions[i],
                        absl::StrCat(prefix, ".matchExpressions[", i, "]"), errors);
  }
  return errors;
}

}  // namespace korder::api
