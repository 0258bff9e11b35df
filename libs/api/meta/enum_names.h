// Gives an enum its names in the API: printing, reading with a clear error, writing.
//
//   enum class StrategyType { kOneTime, kScheduled, kRecurring };
//   constexpr auto EnumNames(StrategyType) {
//     return std::to_array<std::string_view>({"OneTime", "Scheduled", "Recurring"});
//   }
//   Name(StrategyType::kScheduled);                     // "Scheduled"
//   FromName<StrategyType>("Daily");                    // std::nullopt
//   // reading "Daily": `spec.strategy.type: "Daily": must be one of OneTime, Scheduled, Recurring`
//
// The names stand in the order of the enumerators, which begin at 0.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "json/fields.h"

namespace korder::api {

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  EnumNames(e);
};

template <NamedEnum E>
constexpr std::string_view Name(E value) {
  return EnumNames(value)[static_cast<size_t>(value)];
}

template <NamedEnum E>
constexpr std::optional<E> FromName(std::string_view name) {
  const auto names = EnumNames(E{});
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      return static_cast<E>(i);
    }
  }
  return std::nullopt;
}

// "must be one of OneTime, Scheduled, Recurring"
std::string MustBeOneOf(std::span<const std::string_view> choices);

template <NamedEnum E>
void ReadJson(json::Reader& r, E& out) {
  const std::string_view text = r.String();
  if (!r.ok()) {
    return;
  }
  if (const std::optional<E> value = FromName<E>(text)) {
    out = *value;
  } else {
    r.Fail("\"" + std::string(text) + "\": " + MustBeOneOf(EnumNames(E{})));
  }
}

template <NamedEnum E>
void WriteJson(json::Writer& w, E value) {
  w.String(Name(value));
}

}  // namespace korder::api
