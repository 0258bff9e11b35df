// Which objects a list or a watch is about: label selector and field selector.
//
//   ASSIGN_OR_RETURN(const Selector selector, ParseSelector(call));
//   selector.Matches(object);
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "api/value/label_selector.h"
#include "base/status.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/json_value.h"

namespace korder::kube::fake {

struct FieldRequirement {
  std::string field;  // "spec.nodeName"
  std::string value;
  bool equal = true;
};

struct Selector {
  std::string ns;  // empty = all
  api::LabelSelector labels;
  std::vector<FieldRequirement> fields;

  bool empty() const { return labels.empty() && fields.empty(); }
  bool Matches(const Json& object) const;
};

// From the query of a list or watch. INVALID_ARGUMENT for what does not parse and for a field that
// the real server does not select by.
absl::StatusOr<Selector> ParseSelector(const ApiCall& call);

}  // namespace korder::kube::fake
