#include "single.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace korder::simulation {

std::string TextOf(const Single& single) {
  const auto kind =
      std::find_if(kSingleKinds.begin(), kSingleKinds.end(),
                   [&](const SingleKind& candidate) { return candidate.fate == single.fate; });
  return absl::StrCat(kind == kSingleKinds.end() ? "" : std::string(kind->name), ":", single.site,
                      "#", single.ordinal);
}

std::optional<Single> ParseSingle(std::string_view text) {
  const size_t colon = text.find(':');
  const size_t hash = text.rfind('#');
  if (colon == std::string_view::npos || hash == std::string_view::npos || hash < colon) {
    return std::nullopt;
  }
  const auto kind = std::find_if(
      kSingleKinds.begin(), kSingleKinds.end(),
      [&](const SingleKind& candidate) { return candidate.name == text.substr(0, colon); });
  Single single{.site = std::string(text.substr(colon + 1, hash - colon - 1))};
  if (kind == kSingleKinds.end() || single.site.empty() ||
      !absl::SimpleAtoi(std::string(text.substr(hash + 1)), &single.ordinal) ||
      single.ordinal < 1) {
    return std::nullopt;
  }
  single.fate = kind->fate;
  return single;
}

std::string SiteOf(const Network::Message& message) {
  // "korder-quota-svc-3"
  std::string service(absl::StripPrefix(message.from.name, "korder-"));
  service.resize(service.rfind('-'));
  return absl::StrCat(service, ":", message.what);
}

}  // namespace korder::simulation
