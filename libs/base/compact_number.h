// A text that nearly always is a whole number, such as a resourceVersion, in eight bytes.
//
//   CompactNumber version = meta.resource_version;
//   std::string text = version;   // to the letter what it was, number or not
//
// A value, which reads as a std::string does where that is made from it. Thread-safe as any value.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/word_or.h"

namespace korder {

class CompactNumber {
 public:
  CompactNumber() = default;  // the empty text
  // NOLINTBEGIN(google-explicit-constructor): stands in for a string
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> CompactNumber(const Text& text)
      : word_(WordOf(text)) {}
  // NOLINTEND(google-explicit-constructor)

  bool empty() const { return !word_.has_value(); }
  // Nothing when the text is none as one writes it, or longer than 18 digits.
  std::optional<int64_t> number() const { return word_.number(); }
  std::string str() const {
    const std::optional<int64_t> value = number();
    return value ? std::to_string(*value) : empty() ? std::string() : *word_.other();
  }
  operator std::string() const { return str(); }  // NOLINT(google-explicit-constructor)

  friend bool operator==(const CompactNumber&, const CompactNumber&) = default;

 private:
  static constexpr size_t kMostDigits = 18;  // any such number fits

  static WordOr<std::string> WordOf(std::string_view text) {
    const bool canonical = !text.empty() && text.size() <= kMostDigits &&
                           text.find_first_not_of("0123456789") == std::string_view::npos &&
                           (text.front() != '0' || text.size() == 1);
    if (!canonical) {
      return text.empty() ? WordOr<std::string>() : WordOr<std::string>(std::string(text));
    }
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return WordOr<std::string>(number);
  }

  WordOr<std::string> word_;
};

}  // namespace korder
