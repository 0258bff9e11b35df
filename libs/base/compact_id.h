// A text that nearly always is a UUID, as the UID of an object, or 32 hexadecimal digits: in 24
// bytes, where a std::string takes 80.
//
//   CompactId uid = meta.uid;
//   if (uid == other.uid) { ... }
//   std::string text = uid;   // to the letter what it was, UUID or not
//
// A value, which reads as a std::string does where that is made from it. Thread-safe as any value.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/hash/hash.h"
#include "base/boxed.h"

namespace korder {

class CompactId {
 public:
  CompactId() = default;  // the empty text
  // NOLINTBEGIN(google-explicit-constructor): stands in for a string
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> CompactId(const Text& text)
      : value_(ValueOf(text)) {}
  // NOLINTEND(google-explicit-constructor)

  bool empty() const { return *this == CompactId(); }
  std::string str() const;
  operator std::string() const { return str(); }  // NOLINT(google-explicit-constructor)
  // For indexes (kube/store.h): equal ids have equal keys. Different ids may have the same, though
  // no two UUIDs have. Valid as long as the id.
  std::string_view Key() const;

  friend bool operator==(const CompactId&, const CompactId&) = default;
  template <class H>
  friend H AbslHashValue(H h, const CompactId& id) {
    return H::combine(std::move(h), id.Key());
  }

 private:
  using Digits = std::array<uint64_t, 2>;
  struct Uuid {  // lower case, with its four dashes
    Digits digits;
    bool operator==(const Uuid&) const = default;
  };
  struct Hex {  // lower case
    Digits digits;
    bool operator==(const Hex&) const = default;
  };
  using Value = std::variant<Boxed<std::string>, Uuid, Hex>;

  static Value ValueOf(std::string_view text);

  Value value_;
};

}  // namespace korder
