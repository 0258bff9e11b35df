#include "api/value/quantity.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {
namespace {

using Nanos = Quantity::Nanos;
using Format = Quantity::Format;

constexpr Nanos kNanosPerUnit = Quantity::kNanosPerUnit;
// Two of these still add up in 128 bits.
constexpr Nanos kMax = Nanos{1'000'000'000'000'000'000} * 100'000'000'000 * kNanosPerUnit;
constexpr Nanos kMaxBinary = Nanos{std::numeric_limits<int64_t>::max()} * kNanosPerUnit;

struct Suffix {
  std::string_view text;
  Format format;
  int exponent;  // of 2 for kBinarySI, of 10 otherwise
};
constexpr Suffix kSuffixes[] = {
    {"n", Format::kDecimalSI, -9}, {"u", Format::kDecimalSI, -6}, {"m", Format::kDecimalSI, -3},
    {"", Format::kDecimalSI, 0},   {"k", Format::kDecimalSI, 3},  {"M", Format::kDecimalSI, 6},
    {"G", Format::kDecimalSI, 9},  {"T", Format::kDecimalSI, 12}, {"P", Format::kDecimalSI, 15},
    {"E", Format::kDecimalSI, 18}, {"", Format::kBinarySI, 0},    {"Ki", Format::kBinarySI, 10},
    {"Mi", Format::kBinarySI, 20}, {"Gi", Format::kBinarySI, 30}, {"Ti", Format::kBinarySI, 40},
    {"Pi", Format::kBinarySI, 50}, {"Ei", Format::kBinarySI, 60},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The 3 of "e3". Limited to what decides between "far too large" and "far too small".
std::optional<int> ParseExponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) {
    return std::nullopt;
  }
  int exponent = 0;
  for (const char c : text) {
    exponent = std::min(exponent * 10 + (c - '0'), 100'000'000);
  }
  return negative ? -exponent : exponent;
}

absl::StatusOr<Suffix> ParseSuffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) {
      return suffix;
    }
  }
  if (text[0] == 'e' || text[0] == 'E') {
    if (const std::optional<int> exponent = ParseExponent(text.substr(1))) {
      return Suffix{text, Format::kDecimalExponent, *exponent};
    }
  }
  return InvalidArgumentError(
      "must be a number with no suffix or one of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, "
      "Ei, e<exponent>");
}

// digits * 10^exponent. The digits have no leading zeros; none at all is zero.
struct Decimal {
  std::string digits;
  int64_t exponent = 0;
};

// Takes the unsigned number from the front of `text`. One without digits is zero: the API server
// lets a pod with "Ki" pass.
Decimal TakeNumber(std::string_view& text) {
  Decimal number;
  bool point = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (IsDigit(c)) {
      number.exponent -= point ? 1 : 0;
      if (c != '0' || !number.digits.empty()) {
        number.digits += c;
      }
    } else {
      break;
    }
  }
  text.remove_prefix(at);
  return number;
}

// Multiplies by 2^shift, digit by digit from the right, so that nothing is lost however long the
// number is. REQUIRES: shift <= 60, with which a digit and the carry fit 64 bits.
void ShiftLeft(std::string& digits, int shift) {
  uint64_t carry = 0;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    carry += static_cast<uint64_t>(*it - '0') << shift;
    *it = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  if (carry != 0) {
    digits.insert(0, absl::StrCat(carry));
  }
}

// In nanos, rounded up, at most kMax.
Nanos ToNanos(const Decimal& number) {
  if (number.digits.empty()) {
    return 0;
  }
  // How many digits there are before what is rounded. kMax is the first number with 39.
  const int64_t whole = static_cast<int64_t>(number.digits.size()) + number.exponent + 9;
  if (whole > 38) {
    return kMax;
  }
  Nanos nanos = 0;
  for (int64_t i = 0; i < whole; ++i) {
    const auto at = static_cast<size_t>(i);
    nanos = nanos * 10 + (at < number.digits.size() ? number.digits[at] - '0' : 0);
  }
  const auto rest = static_cast<size_t>(std::max<int64_t>(whole, 0));
  return number.digits.find_first_not_of('0', rest) == std::string::npos ? nanos : nanos + 1;
}

// REQUIRES: value >= 0.
std::string PrintInt(Nanos value) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value > 0);
  std::reverse(text.begin(), text.end());
  return text;
}

std::string_view SuffixFor(Format format, int exponent) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.format == format && suffix.exponent == exponent) {
      return suffix.text;
    }
  }
  return "";  // Not reached: the callers keep to the table's exponents.
}

// The smallest whole number with the largest exponent that loses nothing.
std::string PrintDecimal(Nanos nanos, Format format) {
  const bool si = format == Format::kDecimalSI;
  int exponent = -9;
  while (nanos % 1000 == 0 && !(si && exponent == 18)) {
    nanos /= 1000;
    exponent += 3;
  }
  if (si) {
    return PrintInt(nanos).append(SuffixFor(format, exponent));
  }
  return exponent == 0 ? PrintInt(nanos) : absl::StrCat(PrintInt(nanos), "e", exponent);
}

std::string PrintBinary(Nanos units) {
  int exponent = 0;
  while (units % 1024 == 0 && exponent < 60) {
    units /= 1024;
    exponent += 10;
  }
  return PrintInt(units).append(SuffixFor(Format::kBinarySI, exponent));
}

int64_t DivideAwayFromZero(Nanos nanos, Nanos by) {
  const Nanos up = nanos > 0 ? by - 1 : 1 - by;
  return static_cast<int64_t>(std::clamp<Nanos>(
      (nanos + up) / by, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
}

absl::StatusOr<Quantity> Checked(bool overflow, Nanos nanos, Format format) {
  if (overflow || nanos > kMax || nanos < -kMax) {
    return OutOfRangeError("the quantity is too large");
  }
  return Quantity::FromNanos(nanos, format);
}

}  // namespace

absl::StatusOr<Quantity> Quantity::Parse(std::string_view text) {
  const bool empty = text.empty();
  const bool has_digits = std::any_of(text.begin(), text.end(), IsDigit);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  Decimal number = TakeNumber(text);
  const absl::StatusOr<Suffix> parsed = ParseSuffix(text);
  if (empty || (!parsed.ok() && !has_digits)) {
    return InvalidArgumentError("must be a quantity such as 500m, 2 or 1.5Gi");
  }
  RETURN_IF_ERROR(parsed.status());
  const Suffix& suffix = *parsed;
  Format format = suffix.format;
  Nanos nanos = 0;
  if (format == Format::kBinarySI) {
    ShiftLeft(number.digits, suffix.exponent);
    nanos = std::min(ToNanos(number), kMaxBinary);
    if (nanos > 0 && nanos < kNanosPerUnit) {
      format = Format::kDecimalSI;  // As upstream: a fraction of a byte has no binary form.
    }
  } else {
    number.exponent += suffix.exponent;
    nanos = ToNanos(number);
  }
  return Quantity(negative ? -nanos : nanos, format);
}

std::string Quantity::ToString() const {
  const Nanos magnitude = nanos_ < 0 ? -nanos_ : nanos_;
  const std::string sign = nanos_ < 0 ? "-" : "";
  if (nanos_ == 0) {
    return "0";
  }
  if (format_ != Format::kBinarySI) {
    return sign + PrintDecimal(magnitude, format_);
  }
  // As upstream: a binary quantity below 1024 or with a fraction is printed as a decimal one.
  if (magnitude < 1024 * kNanosPerUnit || magnitude % kNanosPerUnit != 0) {
    return sign + PrintDecimal(magnitude, Format::kDecimalSI);
  }
  return sign + PrintBinary(magnitude / kNanosPerUnit);
}

int64_t Quantity::Value() const { return DivideAwayFromZero(nanos_, kNanosPerUnit); }

int64_t Quantity::MilliValue() const { return DivideAwayFromZero(nanos_, kNanosPerUnit / 1000); }

absl::StatusOr<Quantity> Quantity::Add(const Quantity& other) const {
  Nanos sum = 0;
  const bool overflow = __builtin_add_overflow(nanos_, other.nanos_, &sum);
  return Checked(overflow, sum, IsZero() ? other.format_ : format_);
}

absl::StatusOr<Quantity> Quantity::Sub(const Quantity& other) const {
  Nanos difference = 0;
  const bool overflow = __builtin_sub_overflow(nanos_, other.nanos_, &difference);
  return Checked(overflow, difference, IsZero() ? other.format_ : format_);
}

absl::StatusOr<Quantity> Quantity::MulRatio(int64_t numerator, int64_t denominator) const {
  // nanos * n / d with nanos = q * d + r and 0 <= r < d: the product of r and n always fits, and q
  // times n fits whenever the result does.
  Nanos quotient = nanos_ / denominator;
  Nanos remainder = nanos_ % denominator;
  if (remainder < 0) {
    remainder += denominator;
    --quotient;
  }
  Nanos product = 0;
  const bool overflow =
      __builtin_mul_overflow(quotient, Nanos{numerator}, &product) ||
      __builtin_add_overflow(product, remainder * numerator / denominator, &product);
  return Checked(overflow, product, format_);
}

void ReadJson(json::Reader& r, Quantity& out) {
  const std::string text = r.NumberOrString();
  if (!r.ok()) {
    return;
  }
  const absl::StatusOr<Quantity> parsed = Quantity::Parse(text);
  if (!parsed.ok()) {
    r.Fail(absl::StrCat(Quoted(text), ": ", std::string(Message(parsed.status()))));
    return;
  }
  out = *parsed;
}

void WriteJson(json::Writer& w, const Quantity& quantity) { w.String(quantity.ToString()); }

std::ostream& operator<<(std::ostream& out, const Quantity& quantity) {
  return out << quantity.ToString();
}

}  // namespace korder::api
