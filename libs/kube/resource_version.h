// A resourceVersion as a number: those of one server are revisions of the store behind it, which
// grow, and Kubernetes allows to compare them.
//
//   if (VersionNumber(is.metadata.resource_version) > VersionNumber(was.metadata.resource_version))
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/compact_number.h"

namespace korder::kube {

// Nothing, which is below every number, when it is none.
inline std::optional<uint64_t> VersionNumber(std::string_view version) {
  uint64_t number = 0;
  const char* const end = version.data() + version.size();
  const auto [stop, error] = std::from_chars(version.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// The same of one that is kept as a number.
template <std::same_as<CompactNumber> Kept>
std::optional<uint64_t> VersionNumber(const Kept& version) {
  const std::optional<int64_t> number = version.number();
  return number ? std::optional(static_cast<uint64_t>(*number))
                : VersionNumber(std::string_view(version.str()));
}

}  // namespace korder::kube
