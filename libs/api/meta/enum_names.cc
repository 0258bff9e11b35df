#include "api/meta/enum_names.h"

namespace korder::api {

std::string MustBeOneOf(std::span<const std::string_view> choices) {
  std::string text = "must be one of ";
  for (size_t i = 0; i < choices.size(); ++i) {
    text.append(i == 0 ? "" : ", ").append(choices[i]);
  }
  return text;
}

}  // namespace korder::api
