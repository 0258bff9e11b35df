#include "api/value/duration.h"

#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace korder::api {
namespace {

using Wide = unsigned __int128;

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
// Longer names first, so that "ms" is not read as "m".
constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};
constexpr Wide kLimit = Wide{1} << 63;

absl::Status Malformed(std::string_view text) {
  return InvalidArgumentError(
      absl::StrCat("\"", std::string(text), "\" is not a duration such as 24h, 90m or 1h30m"));
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

const Unit* UnitAt(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.substr(0, unit.name.size()) == unit.name) {
      return &unit;
    }
  }
  return nullptr;
}

// One "<number><unit>" from the front of `rest`; returns its nanoseconds.
absl::StatusOr<Wide> TakeTerm(std::string_view& rest, std::string_view whole) {
  Wide integer = 0;
  Wide fraction = 0;
  Wide scale = 1;
  bool any = false;
  size_t at = 0;
  for (; at < rest.size() && IsDigit(rest[at]); ++at) {
    integer = integer * 10 + static_cast<unsigned>(rest[at] - '0');
    any = true;
    if (integer > kLimit) {
      return Malformed(whole);
    }
  }
  if (at < rest.size() && rest[at] == '.') {
    for (++at; at < rest.size() && IsDigit(rest[at]); ++at) {
      any = true;
      // Digits finer than 10^-18 of the unit cannot change a nanosecond.
      if (scale < 1'000'000'000'000'000'000U) {
        fraction = fraction * 10 + static_cast<unsigned>(rest[at] - '0');
        scale *= 10;
      }
    }
  }
  const Unit* unit = UnitAt(rest.substr(at));
  if (!any || unit == nullptr) {
    return Malformed(whole);
  }
  rest.remove_prefix(at + unit->name.size());
  return integer * unit->nanos + fraction * unit->nanos / scale;
}

// nanos / 10^digits with its fraction, without trailing zeros.
std::string Fractional(uint64_t nanos, int digits, std::string_view unit) {
  uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) {
    scale *= 10;
  }
  std::string text = absl::StrCat(nanos / scale);
  std::string fraction = absl::StrCat(nanos % scale);
  fraction.insert(0, static_cast<size_t>(digits) - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') {
    fraction.pop_back();
  }
  return absl::StrCat(text, fraction.empty() ? "" : ".", fraction, std::string(unit));
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return absl::ZeroDuration();
  }
  if (rest.empty()) {
    return Malformed(text);
  }
  Wide nanos = 0;
  while (!rest.empty()) {
    const absl::StatusOr<Wide> term = TakeTerm(rest, text);
    if (!term.ok()) {
      return term.status();
    }
    nanos += *term;
    if (nanos > kLimit) {
      return InvalidArgumentError(
          absl::StrCat("\"", std::string(text), "\" is longer than 292 years"));
    }
  }
  if (nanos == kLimit && !negative) {
    return InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\" is longer than 292 years"));
  }
  const uint64_t magnitude = static_cast<uint64_t>(nanos);
  return absl::Nanoseconds(negative ? static_cast<int64_t>(0 - magnitude)
                                    : static_cast<int64_t>(magnitude));
}

std::string FormatDuration(absl::Duration duration) {
  const int64_t nanos = absl::ToInt64Nanoseconds(duration);
  if (nanos == 0) {
    return "0s";
  }
  const std::string sign = nanos < 0 ? "-" : "";
  const uint64_t magnitude =
      nanos < 0 ? 0 - static_cast<uint64_t>(nanos) : static_cast<uint64_t>(nanos);
  if (magnitude < 1'000) {
    return absl::StrCat(sign, magnitude, "ns");
  }
  if (magnitude < 1'000'000) {
    return sign + Fractional(magnitude, 3, "\u00b5s");
  }
  if (magnitude < 1'000'000'000) {
    return sign + Fractional(magnitude, 6, "ms");
  }
  const uint64_t minutes = magnitude / 60'000'000'000U;
  const std::string seconds = Fractional(magnitude % 60'000'000'000U, 9, "s");
  if (minutes == 0) {
    return sign + seconds;
  }
  if (minutes < 60) {
    return absl::StrCat(sign, minutes, "m", seconds);
  }
  return absl::StrCat(sign, minutes / 60, "h", minutes % 60, "m", seconds);
}

}  // namespace korder::api
