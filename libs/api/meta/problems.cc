#include "api/meta/problems.h"

namespace korder::api {

FieldPath FieldPath::operator/(std::string_view field) const {
  FieldPath path(*this);
  path.text_.append(path.text_.empty() ? "" : ".").append(field);
  return path;
}

FieldPath FieldPath::operator[](size_t index) const { return Key(std::to_string(index)); }

FieldPath FieldPath::Key(std::string_view key) const {
  FieldPath path(*this);
  path.text_.append("[").append(key).append("]");
  return path;
}

void Problems::Add(const FieldPath& path, std::string_view value, std::string_view rule) {
  errors_.push_back({path.text(), std::string(value), std::string(rule)});
}

void Problems::AddIf(const FieldPath& path, std::string_view value, std::string_view rule) {
  if (!rule.empty()) {
    Add(path, value, rule);
  }
}

void Problems::Append(std::vector<FieldError> errors) {
  for (FieldError& error : errors) {
    errors_.push_back(std::move(error));
  }
}

}  // namespace korder::api
