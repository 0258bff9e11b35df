// One problem in an object: where, what stands there, and the rule it breaks.
//
//   errors.push_back({"spec.replicas", "-1", "must be 0 or more"});
//   Render(errors[0]);   // spec.replicas: "-1": must be 0 or more
#pragma once

#include <string>
#include <vector>

namespace korder::api {

struct FieldError {
  std::string path;
  std::string value;  // as read; empty when the field is absent
  std::string rule;
  bool operator==(const FieldError&) const = default;
};

// `path: "value": rule`, or `path: rule` without a value.
std::string Render(const FieldError& error);
// All of them, separated by "; ".
std::string JoinErrors(const std::vector<FieldError>& errors);

}  // namespace korder::api
