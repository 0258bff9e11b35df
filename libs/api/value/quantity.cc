#include "api/value/quantity.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {
namespace {

using Nanos = Quantity::Nanos;

constexpr Nanos kNanosPerUnit = 1'000'000'000;
constexpr Nanos kMax = Nanos{std::numeric_limits<int64_t>::max()} * kNanosPerUnit;

struct Suffix {
  std::string_view text;
  int base;  // 2 or 10
  int exponent;
};
constexpr Suffix kSuffixes[] = {
    {"n", 10, -9}, {"u", 10, -6}, {"m", 10, -3}, {"", 10, 0},   {"k", 10, 3},  {"M", 10, 6},
    {"G", 10, 9},  {"T", 10, 12}, {"P", 10, 15}, {"E", 10, 18}, {"Ki", 2, 10}, {"Mi", 2, 20},
    {"Gi", 2, 30}, {"Ti", 2, 40}, {"Pi", 2, 50}, {"Ei", 2, 60},
};

struct Scale {
  Quantity::Format format;
  int base;
  int exponent;
};

absl::StatusOr<Scale> ParseSuffix(std::string_view suffix) {
  for (const Suffix& known : kSuffixes) {
    if (suffix == known.text) {
      return Scale{known.base == 2 ? Quantity::Format::kBinarySI : Quantity::Format::kDecimalSI,
                   known.base, known.exponent};
    }
  }
  if (suffix.size() >= 2 && (suffix[0] == 'e' || suffix[0] == 'E')) {
    std::string_view digits = suffix.substr(1);
    const bool negative = digits[0] == '-';
    if (digits[0] == '-' || digits[0] == '+') {
      digits.remove_prefix(1);
    }
    int exponent = 0;
    bool valid = !digits.empty();
    for (const char c : digits) {
      valid = valid && absl::ascii_isdigit(static_cast<unsigned char>(c));
      exponent = std::min(exponent * 10 + (c - '0'), 1000);
    }
    if (valid) {
      return Scale{Quantity::Format::kDecimalExponent, 10, negative ? -exponent : exponent};
    }
  }
  return InvalidArgumentError(absl::StrCat(
      "\"", std::string(suffix), "\" is no suffix of a quantity (use m, k, M, G, Ki, Mi, Gi...)"));
}

// A decimal number in base 10^0: digits with the point taken out.
struct Digits {
  std::string digits;  // without leading zeros
  int exponent = 0;    // value = digits * 10^exponent
};

// value = digits * 10^exponent * 2^shift, in nanos, rounded up, cut to kMax.
Nanos Compose(const Digits& number, int exponent, int shift) {
  int power = number.exponent + exponent + 9;
  std::string digits = number.digits;
  // Whatever has this many digits before the point is larger than any quantity.
  if (static_cast<int>(digits.size()) + power + shift / 4 > 45) {
    return digits.empty() ? 0 : kMax;
  }
  // Apply the power of two to the digits as a decimal string, exactly.
  for (int i = 0; i < shift; ++i) {
    int carry = 0;
    for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
      const int doubled = (*it - '0') * 2 + carry;
      *it = static_cast<char>('0' + doubled % 10);
      carry = doubled / 10;
    }
    if (carry != 0) {
      digits.insert(digits.begin(), '1');
    }
  }
  const int keep = static_cast<int>(digits.size()) + std::min(power, 0);
  Nanos nanos = 0;
  for (int i = 0; i < keep; ++i) {
    nanos = std::min<Nanos>(nanos * 10 + (digits[static_cast<size_t>(i)] - '0'), kMax + 1);
  }
  for (; power > 0; --power) {
    nanos = std::min<Nanos>(nanos * 10, kMax + 1);
  }
  const size_t cut = static_cast<size_t>(std::max(keep, 0));
  const bool rest = digits.find_first_not_of('0', cut) != std::string::npos;
  return std::min(rest ? nanos + 1 : nanos, kMax);
}

std::string PrintInt(Nanos value) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value > 0);
  std::reverse(text.begin(), text.end());
  return text;
}

// nanos = mantissa * 10^exponent, with the largest exponent that is a multiple of three.
std::string PrintDecimal(Nanos nanos, bool si) {
  int exponent = -9;
  while (nanos % 1000 == 0 && exponent < 18) {
    nanos /= 1000;
    exponent += 3;
  }
  if (!si) {
    return exponent == 0 ? PrintInt(nanos) : absl::StrCat(PrintInt(nanos), "e", exponent);
  }
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.base == 10 && suffix.exponent == exponent) {
      return PrintInt(nanos) + std::string(suffix.text);
    }
  }
  return PrintInt(nanos);
}

std::string PrintBinary(Nanos units) {
  int exponent = 0;
  while (units % 1024 == 0 && exponent < 60) {
    units /= 1024;
    exponent += 10;
  }
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.base == 2 && suffix.exponent == exponent) {
      return PrintInt(units) + std::string(suffix.text);
    }
  }
  return PrintInt(units);
}

int64_t DivideUp(Nanos nanos, Nanos by) {
  Nanos value = nanos / by;
  if (nanos % by > 0) {
    ++value;
  }
  return static_cast<int64_t>(std::clamp<Nanos>(value, std::numeric_limits<int64_t>::min(),
                                                std::numeric_limits<int64_t>::max()));
}

absl::StatusOr<Quantity> Checked(bool overflow, Nanos nanos, Quantity::Format format) {
  if (overflow || nanos > kMax || nanos < -kMax) {
    return OutOfRangeError("the quantity is too large");
  }
  return Quantity::FromNanos(nanos, format);
}

}  // namespace

absl::StatusOr<Quantity> Quantity::Parse(std::string_view text) {
  if (text.empty()) {
    return InvalidArgumentError("a quantity must not be empty");
  }
  size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  const bool negative = text[0] == '-';
  Digits number;
  bool any = false;
  bool point = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) {
      any = true;
      number.exponent -= point ? 1 : 0;
      if (text[at] != '0' || !number.digits.empty()) {
        number.digits += text[at];
      }
    } else {
      break;
    }
  }
  if (!any) {
    return InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\" is not a quantity such as 500m, 2 or 1Gi"));
  }
  absl::StatusOr<Scale> scale = ParseSuffix(text.substr(at));
  if (!scale.ok()) {
    return scale.status();
  }
  const bool binary = scale->base == 2;
  const Nanos nanos = Compose(number, binary ? 0 : scale->exponent, binary ? scale->exponent : 0);
  return Quantity(negative ? -nanos : nanos, scale->format);
}

std::string Quantity::ToString() const {
  if (nanos_ == 0) {
    return "0";
  }
  const Nanos magnitude = nanos_ < 0 ? -nanos_ : nanos_;
  const std::string sign = nanos_ < 0 ? "-" : "";
  // As upstream: a binary quantity with a fraction, or below 1024, is printed as a decimal.
  if (format_ == Format::kBinarySI && magnitude % kNanosPerUnit == 0 &&
      magnitude >= 1024 * kNanosPerUnit) {
    return sign + PrintBinary(magnitude / kNanosPerUnit);
  }
  return sign + PrintDecimal(magnitude, format_ != Format::kDecimalExponent);
}

int64_t Quantity::Value() const { return DivideUp(nanos_, kNanosPerUnit); }

int64_t Quantity::MilliValue() const { return DivideUp(nanos_, kNanosPerUnit / 1000); }

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
  Nanos product = 0;
  const bool overflow = __builtin_mul_overflow(nanos_, Nanos{numerator}, &product);
  Nanos quotient = product / denominator;
  if (product < 0 && product % denominator != 0) {
    --quotient;
  }
  return Checked(overflow, quotient, format_);
}

void ReadJson(json::Reader& r, Quantity& out) {
  const std::string text = r.NumberOrString();
  if (!r.ok()) {
    return;
  }
  absl::StatusOr<Quantity> parsed = Quantity::Parse(text);
  if (!parsed.ok()) {
    r.Fail(Message(parsed.status()));
    return;
  }
  out = *parsed;
}

void WriteJson(json::Writer& w, const Quantity& quantity) { w.String(quantity.ToString()); }

}  // namespace korder::api
