#include "api/meta/dns_name.h"

#include <algorithm>

namespace korder::api {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxSubdomain = 253;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Without the limit of 63 characters, which Kubernetes does not apply to the parts of a subdomain.
bool IsLabel(std::string_view text) {
  return !text.empty() && IsLowerOrDigit(text.front()) && IsLowerOrDigit(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

}  // namespace

std::string DnsLabelProblem(std::string_view name) {
  if (name.size() > kMaxLabel || !IsLabel(name)) {
    return "must be 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter "
           "or digit";
  }
  return "";
}

std::string DnsSubdomainProblem(std::string_view name) {
  bool good = name.size() <= kMaxSubdomain;
  for (std::string_view rest = name; good;) {
    const size_t dot = rest.find('.');
    good = IsLabel(rest.substr(0, dot));
    if (dot == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  return good ? ""
              : "must be at most 253 lower-case letters, digits, '-' or '.', each part beginning "
                "and ending with a letter or digit";
}

}  // namespace korder::api
