#include "api/value/duration.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {
namespace {

constexpr uint64_t kMicrosecond = 1'000;
constexpr uint64_t kMillisecond = 1'000 * kMicrosecond;
constexpr uint64_t kSecond = 1'000 * kMillisecond;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
// The magnitude of the shortest duration; the longest is one less.
constexpr uint64_t kLimit = uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
constexpr Unit kUnits[] = {
    {"ns", 1},
    {"us", kMicrosecond},
    {"\u00b5s", kMicrosecond},  // The micro sign...
    {"\u03bcs", kMicrosecond},  // ...and the Greek letter that looks like it.
    {"ms", kMillisecond},
    {"s", kSecond},
    {"m", kMinute},
    {"h", kHour},
};

absl::Status Malformed() {
  return InvalidArgumentError("must be a duration such as 24h, 90m or 1h30m");
}
absl::Status UnknownUnit() {
  return InvalidArgumentError("must be a duration in the units h, m, s, ms, us and ns");
}
absl::Status TooLong() { return InvalidArgumentError("must not be longer than 292 years"); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& rest) {
  size_t end = 0;
  while (end < rest.size() && IsDigit(rest[end])) {
    ++end;
  }
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

const Unit* TakeUnit(std::string_view& rest) {
  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  for (const Unit& unit : kUnits) {
    if (unit.name == name) {
      rest.remove_prefix(name.size());
      return &unit;
    }
  }
  return nullptr;
}

// nullopt when it exceeds kLimit.
std::optional<uint64_t> ToInteger(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    if (value > kLimit / 10) {
      return std::nullopt;
    }
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value <= kLimit ? std::optional(value) : std::nullopt;
}

// The nanoseconds in the `digits` behind a decimal point. Floating point on purpose: Go computes it
// so, and the same text must be the same duration.
uint64_t FractionNanos(std::string_view digits, uint64_t unit) {
  uint64_t value = 0;
  double scale = 1;
  for (const char c : digits) {
    const uint64_t next = value * 10 + static_cast<uint64_t>(c - '0');
    if (value > (kLimit - 1) / 10 || next > kLimit) {
      break;  // What follows is too fine to matter.
    }
    value = next;
    scale *= 10;
  }
  return static_cast<uint64_t>(static_cast<double>(value) * (static_cast<double>(unit) / scale));
}

// Takes one "<number><unit>" from the front of `rest`. The result is at most an hour above kLimit.
absl::StatusOr<uint64_t> TakeTerm(std::string_view& rest) {
  const std::string_view whole = TakeDigits(rest);
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = TakeDigits(rest);
  }
  if (whole.empty() && fraction.empty()) {
    return Malformed();
  }
  const Unit* unit = TakeUnit(rest);
  if (unit == nullptr) {
    return UnknownUnit();
  }
  const std::optional<uint64_t> count = ToInteger(whole);
  if (!count || *count > kLimit / unit->nanos) {
    return TooLong();
  }
  return *count * unit->nanos + FractionNanos(fraction, unit->nanos);
}

// value / 10^digits, without trailing zeros behind the point.
std::string PrintFraction(uint64_t value, int digits) {
  std::string fraction;
  for (int i = 0; i < digits; ++i) {
    if (!fraction.empty() || value % 10 != 0) {
      fraction.insert(fraction.begin(), static_cast<char>('0' + value % 10));
    }
    value /= 10;
  }
  return absl::StrCat(value, fraction.empty() ? "" : ".", fraction);
}

// Below a second the unit is the largest in which there is something before the point.
std::string PrintShort(uint64_t nanos) {
  if (nanos == 0) {
    return "0s";
  }
  if (nanos < kMicrosecond) {
    return absl::StrCat(nanos, "ns");
  }
  return nanos < kMillisecond ? PrintFraction(nanos, 3) + "\u00b5s"
                              : PrintFraction(nanos, 6) + "ms";
}

std::string Print(uint64_t nanos) {
  if (nanos < kSecond) {
    return PrintShort(nanos);
  }
  const uint64_t hours = nanos / kHour;
  const uint64_t minutes = nanos / kMinute % 60;
  const std::string seconds = PrintFraction(nanos % kMinute, 9) + "s";
  if (hours > 0) {
    return absl::StrCat(hours, "h", minutes, "m", seconds);
  }
  return minutes > 0 ? absl::StrCat(minutes, "m", seconds) : seconds;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return Malformed();
  }
  if (text == "0") {  // The only number that needs no unit.
    return absl::ZeroDuration();
  }
  uint64_t nanos = 0;
  while (!text.empty()) {
    ASSIGN_OR_RETURN(const uint64_t term, TakeTerm(text));
    if (term > kLimit - nanos) {
      return TooLong();
    }
    nanos += term;
  }
  if (nanos == kLimit) {
    return negative ? absl::StatusOr<absl::Duration>(
                          absl::Nanoseconds(std::numeric_limits<int64_t>::min()))
                    : TooLong();
  }
  const auto magnitude = static_cast<int64_t>(nanos);
  return absl::Nanoseconds(negative ? -magnitude : magnitude);
}

std::string PrintDuration(absl::Duration duration) {
  const int64_t nanos = absl::ToInt64Nanoseconds(duration);
  const auto bits = static_cast<uint64_t>(nanos);
  return nanos < 0 ? "-" + Print(0 - bits) : Print(bits);
}

}  // namespace korder::api

namespace absl {

void ReadJson(korder::json::Reader& r, Duration& out) {
  const std::string_view text = r.String();
  if (!r.ok()) {
    return;
  }
  const StatusOr<Duration> parsed = korder::api::ParseDuration(text);
  if (!parsed.ok()) {
    r.Fail(StrCat(korder::api::Quoted(text), ": ", std::string(korder::Message(parsed.status()))));
    return;
  }
  out = *parsed;
}

void WriteJson(korder::json::Writer& w, const Duration& value) {
  w.String(korder::api::PrintDuration(value));
}

}  // namespace absl
