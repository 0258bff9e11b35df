// Collects the problems that a validation finds, each with its path.
//
//   Problems problems;
//   const FieldPath spec("spec");
//   if (order.spec.replicas < 0) {
//     problems.Add(spec / "replicas", "-1", "must be 0 or more");
//   }
//   problems.Missing((spec / "skip")[2], "is required");  // spec.skip[2]: is required
//   return problems.Take();
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/value/field_error.h"

namespace korder::api {

class FieldPath {
 public:
  explicit FieldPath(std::string_view text) : text_(text) {}

  FieldPath operator/(std::string_view field) const;  // spec -> spec.replicas
  FieldPath operator[](size_t index) const;           // spec.skip -> spec.skip[2]
  FieldPath Key(std::string_view key) const;          // spec.hard -> spec.hard[orders]
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Problems {
 public:
  void Add(const FieldPath& path, std::string_view value, std::string_view rule);
  // For what is not there, or too large to be repeated.
  void Missing(const FieldPath& path, std::string_view rule) { Add(path, "", rule); }
  // Nothing happens when `rule` is empty: takes what functions like LabelKeyProblem return.
  void AddIf(const FieldPath& path, std::string_view value, std::string_view rule);
  void Append(std::vector<FieldError> errors);

  std::vector<FieldError> Take() { return std::exchange(errors_, {}); }

 private:
  std::vector<FieldError> errors_;
};

}  // namespace korder::api
