// Selects objects by their labels.
//
//   LabelSelector selector{.match_labels = {{"team", "backend"}}};
//   selector.Matches(ns.metadata.labels);
//   selector.ToString();   // "team=backend"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/value/field_error.h"
#include "api/value/labels.h"
#include "base/status.h"
#include "json/fields.h"

namespace korder::api {

struct LabelSelectorRequirement {
  std::string key;
  std::string op;  // In, NotIn, Exists, DoesNotExist
  std::vector<std::string> values;

  bool operator==(const LabelSelectorRequirement&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("key", self.key);
    v("operator", self.op);
    v("values", self.values);
  }
};

struct LabelSelector {
  Labels match_labels;
  std::vector<LabelSelectorRequirement> match_expressions;

  bool operator==(const LabelSelector&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("matchLabels", self.match_labels);
    v("matchExpressions", self.match_expressions);
  }

  bool empty() const { return match_labels.empty() && match_expressions.empty(); }
  // An empty selector matches everything. An expression that Validate refuses matches nothing.
  bool Matches(const Labels& labels) const;
  // As kubectl and the scale subresource write it, by key: "a=b,c in (x,y),!d". Empty for an empty
  // selector.
  std::string ToString() const;
};

// All problems; `path` is the selector's own, for instance "spec.selector".
std::vector<FieldError> Validate(const LabelSelector& selector, std::string_view path);

// The text form, with kubectl's syntax: "a=b,c!=d,e in (x,y),f notin (z),g,!h". INVALID_ARGUMENT
// with the rule that `text` breaks. The operators < and > have no place in a LabelSelector and are
// refused.
absl::StatusOr<LabelSelector> ParseSelector(std::string_view text);

}  // namespace korder::api
