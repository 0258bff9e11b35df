#include "api/value/labels.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace korder::api {
namespace {

constexpr size_t kMaxNameLength = 63;
constexpr size_t kMaxPrefixLength = 253;

// The texts are the API server's, word for word: people search for them.
constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kPrefixRule =
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
    "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
    "'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

// Independent of the locale, unlike <cctype>.
bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlnum(char c) { return IsLowerAlnum(c) || (c >= 'A' && c <= 'Z'); }

std::string TooLong(size_t limit) {
  return "must be no more than " + std::to_string(limit) + " bytes";
}

// Alphanumeric at both ends, '-', '_' and '.' allowed in between.
bool IsName(std::string_view text) {
  return !text.empty() && IsAlnum(text.front()) && IsAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

// Dot-separated parts, each alphanumeric at both ends.
bool IsSubdomain(std::string_view text) {
  char previous = '.';
  for (const char c : text) {
    const bool ok = c == '.'   ? IsLowerAlnum(previous)
                    : c == '-' ? previous != '.'
                               : IsLowerAlnum(c);
    if (!ok) {
      return false;
    }
    previous = c;
  }
  return IsLowerAlnum(previous);
}

// Collects what applies to one text, as the API server lists it.
class ProblemText {
 public:
  void AddIf(bool wrong, std::string_view problem) {
    if (wrong) {
      text_.append(text_.empty() ? "" : "; ").append(problem);
    }
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string LabelKeyProblem(std::string_view key) {
  ProblemText problems;
  const size_t slash = key.find('/');
  std::string_view name = key;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = key.substr(0, slash);
    name = key.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      return "a valid label key " + std::string(kNameRule) +
             " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    }
    problems.AddIf(prefix.empty(), "prefix part must be non-empty");
    problems.AddIf(prefix.size() > kMaxPrefixLength, "prefix part " + TooLong(kMaxPrefixLength));
    problems.AddIf(!prefix.empty() && !IsSubdomain(prefix), kPrefixRule);
  }
  problems.AddIf(name.empty(), "name part must be non-empty");
  problems.AddIf(name.size() > kMaxNameLength, "name part " + TooLong(kMaxNameLength));
  problems.AddIf(!IsName(name), "name part " + std::string(kNameRule));
  return problems.Take();
}

std::string LabelValueProblem(std::string_view value) {
  ProblemText problems;
  problems.AddIf(value.size() > kMaxNameLength, TooLong(kMaxNameLength));
  problems.AddIf(!value.empty() && !IsName(value), kValueRule);
  return problems.Take();
}

std::vector<FieldError> CheckLabels(const Labels& labels, std::string_view path) {
  std::vector<FieldError> errors;
  for (const auto& [key, value] : labels) {
    if (std::string problem = LabelKeyProblem(key); !problem.empty()) {
      errors.push_back({std::string(path), key, std::move(problem)});
    }
    if (std::string problem = LabelValueProblem(value); !problem.empty()) {
      errors.push_back({std::string(path), value, std::move(problem)});
    }
  }
  return errors;
}

}  // namespace korder::api
