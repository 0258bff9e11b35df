#include "api/value/field_error.h"

#include "absl/strings/str_cat.h"

namespace korder::api {

std::string Render(const FieldError& error) {
  return error.value.empty() ? absl::StrCat(error.path, ": ", error.rule)
                             : absl::StrCat(error.path, ": \"", error.value, "\": ", error.rule);
}

std::string JoinErrors(const std::vector<FieldError>& errors) {
  std::string text;
  for (const FieldError& error : errors) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", Render(error));
  }
  return text;
}

}  // namespace korder::api
