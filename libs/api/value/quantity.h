// An exact amount of a resource, as Kubernetes writes it: 500m, 1Gi, 2e3.
//
//   ASSIGN_OR_RETURN(const api::Quantity cpu, api::Quantity::Parse("500m"));
//   cpu.MilliValue();   // 500
//   cpu.ToString();     // "500m"
//
// Kept as a whole number of 10^-9 units in 128 bits; nothing is ever a float. As in Kubernetes,
// what is finer is rounded away from zero, and a binary quantity (Ki, Mi...) is cut to 2^63-1.
// Decimal ones are cut to 10^29, which Kubernetes does not do: an absurd value in one object must
// neither fail the list it arrives in nor overflow.
#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace korder::json {
class Reader;
class Writer;
}  // namespace korder::json

namespace korder::api {

class Quantity {
 public:
  using Nanos = __int128;
  enum class Format { kDecimalSI, kBinarySI, kDecimalExponent };

  static constexpr Nanos kNanosPerUnit = 1'000'000'000;

  constexpr Quantity() = default;
  // INVALID_ARGUMENT with the rule that `text` breaks, a fragment that reads on after it.
  static absl::StatusOr<Quantity> Parse(std::string_view text);
  // REQUIRES: the magnitude is at most 10^29 units.
  static constexpr Quantity FromNanos(Nanos nanos, Format format = Format::kDecimalSI) {
    return Quantity(nanos, format);
  }
  static constexpr Quantity FromInt(int64_t value, Format format = Format::kDecimalSI) {
    return Quantity(Nanos{value} * kNanosPerUnit, format);
  }

  // The canonical text in the format that was read: "1.5" -> "1500m", "2048Mi" -> "2Gi".
  std::string ToString() const;

  Nanos nanos() const { return nanos_; }
  Format format() const { return format_; }
  // Rounded away from zero; limited to the range of int64_t.
  int64_t Value() const;
  int64_t MilliValue() const;
  bool IsZero() const { return nanos_ == 0; }
  bool IsNegative() const { return nanos_ < 0; }

  // The result has this quantity's format, or the other's when this is zero. OUT_OF_RANGE when it
  // does not fit.
  absl::StatusOr<Quantity> Add(const Quantity& other) const;
  absl::StatusOr<Quantity> Sub(const Quantity& other) const;
  // This times numerator / denominator, rounded down to a nano. OUT_OF_RANGE when it does not fit.
  // REQUIRES: denominator > 0, numerator >= 0.
  absl::StatusOr<Quantity> MulRatio(int64_t numerator, int64_t denominator) const;

  // By amount; the format does not count: 1000m equals 1.
  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nanos_ == b.nanos_; }
  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
    return a.nanos_ < b.nanos_   ? std::strong_ordering::less
           : a.nanos_ > b.nanos_ ? std::strong_ordering::greater
                                 : std::strong_ordering::equal;
  }
  template <class H>
  friend H AbslHashValue(H h, const Quantity& q) {
    return H::combine(std::move(h), static_cast<uint64_t>(q.nanos_),
                      static_cast<int64_t>(q.nanos_ >> 64));
  }

 private:
  constexpr Quantity(Nanos nanos, Format format) : nanos_(nanos), format_(format) {}

  Nanos nanos_ = 0;
  Format format_ = Format::kDecimalSI;
};

// A string or a number in JSON; always written as a string.
void ReadJson(json::Reader& r, Quantity& out);
void WriteJson(json::Writer& w, const Quantity& quantity);

// For test failures.
std::ostream& operator<<(std::ostream& out, const Quantity& quantity);

}  // namespace korder::api
