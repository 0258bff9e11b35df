// What mutants.py writes into a source: expressions that are what they were, or the one mutant that
// the environment names (KORDER_MUTANT=12).
//
//   return Less<12>(a, b);  // a <= b for mutant 12, a < b else
//   if (!LeftOut<13>()) counts_.clear();
//
// In test programs only. Thread-safe.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <type_traits>

namespace korder::mutation {

// True for the mutant that runs. Remembers that the place was reached.
bool Is(int mutant);
// What would be there does not compile.
void IsNone(int mutant);

template <int kMutant>
bool LeftOut() {
  return Is(kMutant);
}
template <int kMutant>
bool Flip(bool value) {
  return Is(kMutant) != value;
}
template <int kMutant, class T>
T More(T value) {
  return Is(kMutant) ? static_cast<T>(value + 1) : value;
}
template <int kMutant, class Left, class Right>
bool Both(const Left& left, const Right& right) {
  return Is(kMutant) ? left() || right() : left() && right();
}
template <int kMutant, class Left, class Right>
bool Either(const Left& left, const Right& right) {
  return Is(kMutant) ? left() && right() : left() || right();
}

#define KORDER_MUTANT(Name, sign, other)                                                     \
  template <int kMutant, class Left, class Right>                                            \
  auto Name(const Left& left, const Right& right) {                                          \
    using Type = decltype(left sign right);                                                  \
    if constexpr (requires { requires std::is_same_v<decltype(left other right), Type>; }) { \
      return Is(kMutant) ? left other right : left sign right;                               \
    } else {                                                                                 \
      IsNone(kMutant);                                                                       \
      return left sign right;                                                                \
    }                                                                                        \
  }
KORDER_MUTANT(Less, <, <=)
KORDER_MUTANT(LessOrEqual, <=, <)
KORDER_MUTANT(Greater, >, >=)
KORDER_MUTANT(GreaterOrEqual, >=, >)
KORDER_MUTANT(Equal, ==, !=)
KORDER_MUTANT(Unequal, !=, ==)
KORDER_MUTANT(Plus, +, -)
KORDER_MUTANT(Minus, -, +)
KORDER_MUTANT(Times, *, /)
KORDER_MUTANT(DividedBy, /, *)
KORDER_MUTANT(Modulo, %, /)
#undef KORDER_MUTANT

template <int kMutant, class T>
T Min(const T& left, const T& right) {
  return Is(kMutant) ? std::max(left, right) : std::min(left, right);
}
template <int kMutant, class T>
T Min(std::initializer_list<T> values) {
  return Is(kMutant) ? std::max(values) : std::min(values);
}
template <int kMutant, class T>
T Max(const T& left, const T& right) {
  return Is(kMutant) ? std::min(left, right) : std::max(left, right);
}
template <int kMutant, class T>
T Max(std::initializer_list<T> values) {
  return Is(kMutant) ? std::min(values) : std::max(values);
}
template <int kMutant, class... Arguments>
bool AnyOf(const Arguments&... arguments) {
  return Is(kMutant) ? std::all_of(arguments...) : std::any_of(arguments...);
}
template <int kMutant, class... Arguments>
bool AllOf(const Arguments&... arguments) {
  return Is(kMutant) ? std::any_of(arguments...) : std::all_of(arguments...);
}
template <int kMutant, class... Arguments>
bool NoneOf(const Arguments&... arguments) {
  return Is(kMutant) ? std::any_of(arguments...) : std::none_of(arguments...);
}

}  // namespace korder::mutation
