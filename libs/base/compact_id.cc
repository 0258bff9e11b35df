#include "base/compact_id.h"

#include <optional>

namespace korder {
namespace {

constexpr size_t kDigits = 32;
constexpr size_t kDashes = 4;
constexpr std::string_view kAlphabet = "0123456789abcdef";

// Before this digit of a UUID stands a dash.
constexpr bool HasDash(size_t digit) {
  return digit == 8 || digit == 12 || digit == 16 || digit == 20;
}

constexpr uint8_t kNone = 0x80;  // what is no digit

constexpr std::array<uint8_t, 256> MakeDigits() {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNone);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}
constexpr std::array<uint8_t, 256> kDigitOf = MakeDigits();

// Nothing when the text is anything but the digits, with the dashes of a UUID or with none.
std::optional<std::array<uint64_t, 2>> Parse(std::string_view text, bool dashes) {
  std::array<uint64_t, 2> value{};
  uint8_t seen = 0;
  size_t at = 0;
  for (size_t i = 0; i < kDigits; ++i) {
    if (dashes && HasDash(i) && text[at++] != '-') {
      return std::nullopt;
    }
    const uint8_t digit = kDigitOf[static_cast<uint8_t>(text[at++])];
    seen |= digit;
    value[i / 16] = value[i / 16] << 4 | digit;
  }
  return (seen & kNone) == 0 ? std::optional(value) : std::nullopt;
}

std::string Print(const std::array<uint64_t, 2>& value, bool dashes) {
  std::string text;
  text.reserve(kDigits + kDashes);
  for (size_t i = 0; i < kDigits; ++i) {
    if (dashes && HasDash(i)) {
      text += '-';
    }
    text += kAlphabet[value[i / 16] >> (60 - 4 * (i % 16)) & 15];
  }
  return text;
}

template <class Digits>
std::string_view BytesOf(const Digits& digits) {
  return {reinterpret_cast<const char*>(digits.data()), sizeof(digits)};
}

}  // namespace

CompactId::Value CompactId::ValueOf(std::string_view text) {
  if (text.size() == kDigits + kDashes) {
    if (const auto digits = Parse(text, true)) {
      return Uuid{*digits};
    }
  } else if (text.size() == kDigits) {
    if (const auto digits = Parse(text, false)) {
      return Hex{*digits};
    }
  }
  return text.empty() ? Boxed<std::string>() : Boxed<std::string>(std::string(text));
}

std::string CompactId::str() const {
  if (const Uuid* uuid = std::get_if<Uuid>(&value_)) {
    return Print(uuid->digits, true);
  }
  if (const Hex* hex = std::get_if<Hex>(&value_)) {
    return Print(hex->digits, false);
  }
  const Boxed<std::string>& text = std::get<Boxed<std::string>>(value_);
  return text ? *text : std::string();
}

std::string_view CompactId::Key() const {
  if (const Uuid* uuid = std::get_if<Uuid>(&value_)) {
    return BytesOf(uuid->digits);
  }
  if (const Hex* hex = std::get_if<Hex>(&value_)) {
    return BytesOf(hex->digits);
  }
  const Boxed<std::string>& text = std::get<Boxed<std::string>>(value_);
  return text ? std::string_view(*text) : std::string_view();
}

}  // namespace korder
