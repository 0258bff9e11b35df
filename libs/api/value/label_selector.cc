#include "api/value/label_selector.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace korder::api {
namespace {

bool MatchesOne(const LabelSelectorRequirement& requirement, const Labels& labels) {
  const auto it = labels.find(requirement.key);
  const bool there = it != labels.end();
  const bool listed = there && std::find(requirement.values.begin(), requirement.values.end(),
                                         it->second) != requirement.values.end();
  if (requirement.op == "In") {
    return listed;
  }
  if (requirement.op == "NotIn") {
    return !listed;
  }
  if (requirement.op == "Exists") {
    return there;
  }
  return requirement.op == "DoesNotExist" && !there;
}

std::string Print(const LabelSelectorRequirement& requirement) {
  const std::string values = absl::StrCat("(", absl::StrJoin(requirement.values, ","), ")");
  if (requirement.op == "In") {
    return absl::StrCat(requirement.key, " in ", values);
  }
  if (requirement.op == "NotIn") {
    return absl::StrCat(requirement.key, " notin ", values);
  }
  return requirement.op == "Exists" ? requirement.key : absl::StrCat("!", requirement.key);
}

void ValidateKeyAndValues(std::string_view path, std::string_view key,
                          const std::vector<std::string>& values, std::vector<FieldError>& errors) {
  if (const std::string problem = LabelKeyProblem(key); !problem.empty()) {
    errors.push_back({absl::StrCat(std::string(path), ".key"), std::string(key), problem});
  }
  for (const std::string& value : values) {
    if (const std::string problem = LabelValueProblem(value); !problem.empty()) {
      errors.push_back({absl::StrCat(std::string(path), ".values"), value, problem});
    }
  }
}

std::string Trim(absl::string_view text) { return std::string(absl::StripAsciiWhitespace(text)); }

// Splits at commas that stand outside parentheses.
std::vector<std::string> SplitTerms(std::string_view text) {
  std::vector<std::string> terms(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth <= 0) {
      terms.emplace_back();
    } else {
      terms.back() += c;
    }
  }
  return terms;
}

// "key in (a,b)" or "key notin (a,b)".
absl::StatusOr<LabelSelectorRequirement> ParseSetTerm(const std::string& term, size_t open) {
  const std::vector<std::string> head =
      absl::StrSplit(term.substr(0, open), ' ', absl::SkipEmpty());
  if (head.size() != 2 || (head[1] != "in" && head[1] != "notin") || term.back() != ')') {
    return InvalidArgumentError(
        absl::StrCat("\"", term, "\" is not of the form: key in (a,b) or key notin (a,b)"));
  }
  LabelSelectorRequirement requirement{
      .key = head[0], .op = head[1] == "in" ? "In" : "NotIn", .values = {}};
  const std::string inside = term.substr(open + 1, term.size() - open - 2);
  for (const absl::string_view value : absl::StrSplit(inside, ',')) {
    requirement.values.push_back(Trim(value));
  }
  return requirement;
}

absl::StatusOr<LabelSelectorRequirement> ParseTerm(const std::string& term) {
  if (const size_t open = term.find('('); open != std::string::npos) {
    return ParseSetTerm(term, open);
  }
  if (const size_t at = term.find("!="); at != std::string::npos) {
    return LabelSelectorRequirement{Trim(term.substr(0, at)), "NotIn", {Trim(term.substr(at + 2))}};
  }
  if (const size_t at = term.find('='); at != std::string::npos) {
    const size_t value = term.compare(at, 2, "==") == 0 ? at + 2 : at + 1;
    return LabelSelectorRequirement{Trim(term.substr(0, at)), "In", {Trim(term.substr(value))}};
  }
  if (term[0] == '!') {
    return LabelSelectorRequirement{Trim(term.substr(1)), "DoesNotExist", {}};
  }
  return LabelSelectorRequirement{term, "Exists", {}};
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
  std::vector<std::string> terms;
  for (const auto& [key, value] : match_labels) {
    terms.push_back(absl::StrCat(key, "=", value));
  }
  for (const LabelSelectorRequirement& requirement : match_expressions) {
    terms.push_back(Print(requirement));
  }
  return absl::StrJoin(terms, ",");
}

std::vector<FieldError> Validate(const LabelSelector& selector, std::string_view path) {
  std::vector<FieldError> errors;
  const std::string prefix(path);
  for (const auto& [key, value] : selector.match_labels) {
    ValidateKeyAndValues(absl::StrCat(prefix, ".matchLabels"), key, {value}, errors);
  }
  for (size_t i = 0; i < selector.match_expressions.size(); ++i) {
    const LabelSelectorRequirement& requirement = selector.match_expressions[i];
    const std::string at = absl::StrCat(prefix, ".matchExpressions[", i, "]");
    ValidateKeyAndValues(at, requirement.key, requirement.values, errors);
    const bool takes_values = requirement.op == "In" || requirement.op == "NotIn";
    const bool known =
        takes_values || requirement.op == "Exists" || requirement.op == "DoesNotExist";
    if (!known) {
      errors.push_back({absl::StrCat(at, ".operator"), requirement.op,
                        "must be In, NotIn, Exists or DoesNotExist"});
    } else if (takes_values == requirement.values.empty()) {
      errors.push_back({absl::StrCat(at, ".values"), "",
                        takes_values ? "is required for In and NotIn"
                                     : "must be empty for Exists and DoesNotExist"});
    }
  }
  return errors;
}

absl::StatusOr<LabelSelector> ParseSelector(std::string_view text) {
  LabelSelector selector;
  if (Trim(absl::string_view(text.data(), text.size())).empty()) {
    return selector;
  }
  for (const std::string& raw : SplitTerms(text)) {
    const std::string term = Trim(raw);
    if (term.empty()) {
      return InvalidArgumentError("a selector must not have an empty term");
    }
    ASSIGN_OR_RETURN(LabelSelectorRequirement requirement, ParseTerm(term));
    const std::vector<FieldError> errors =
        Validate(LabelSelector{{}, {requirement}}, absl::StrCat("\"", term, "\""));
    if (!errors.empty()) {
      return InvalidArgumentError(JoinErrors(errors));
    }
    selector.match_expressions.push_back(std::move(requirement));
  }
  return selector;
}

}  // namespace korder::api
