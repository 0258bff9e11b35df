#include "api/value/labels.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace korder::api {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxPrefix = 253;

bool IsNameChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
}

// Letters, digits, '-', '_', '.', beginning and ending with a letter or digit.
bool IsQualifiedName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), IsNameChar) &&
         absl::ascii_isalnum(static_cast<unsigned char>(text.front())) &&
         absl::ascii_isalnum(static_cast<unsigned char>(text.back()));
}

// Lower-case labels of letters, digits and '-', separated by dots.
bool IsDnsSubdomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxPrefix) {
    return false;
  }
  char before = '.';
  for (const char c : text) {
    const bool alnum = absl::ascii_islower(static_cast<unsigned char>(c)) ||
                       absl::ascii_isdigit(static_cast<unsigned char>(c));
    if (!alnum && ((c != '-' && c != '.') || before == '.' || (c == '.' && before == '-'))) {
      return false;
    }
    before = c;
  }
  return before != '.' && before != '-';
}

}  // namespace

std::string LabelKeyProblem(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash != std::string_view::npos && !IsDnsSubdomain(key.substr(0, slash))) {
    return "the part before / must be a DNS name of at most 253 characters";
  }
  if (!IsQualifiedName(slash == std::string_view::npos ? key : key.substr(slash + 1))) {
    return "must be 1 to 63 letters, digits, '-', '_' or '.', beginning and ending with a letter "
           "or "
           "digit";
  }
  return "";
}

std::string LabelValueProblem(std::string_view value) {
  if (!value.empty() && !IsQualifiedName(value)) {
    return "must be at most 63 letters, digits, '-', '_' or '.', beginning and ending with a "
           "letter "
           "or digit";
  }
  return "";
}

}  // namespace korder::api
