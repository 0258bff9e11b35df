// What a fuzzer is: one function that takes any bytes and must live with them.
//
//   int korder::fuzz::FuzzOne(std::string_view input) {
//     const auto quantity = api::Quantity::Parse(input);
//     if (!quantity.ok()) return kRefused;
//     FUZZ_CHECK(api::Quantity::Parse(quantity->ToString()) == *quantity);
//     return kTaken;
//   }
//
// Linked with fuzz_main.cc, which calls it with what mutate.h makes of a corpus of examples, it is
// a program (see korder_fuzzer in CMakeLists.txt); a libFuzzer target needs three lines more.
#pragma once

#include <string_view>

namespace korder::fuzz {

inline constexpr int kRefused = 0;  // the input was recognised as wrong
inline constexpr int kTaken = 1;

// Deterministic: the same input, the same result. What must not happen is a crash, a sanitizer's
// report or a FUZZ_CHECK that fails.
int FuzzOne(std::string_view input);

// Prints what does not hold and ends the program.
[[noreturn]] void Violated(const char* what, const char* file, int line);

}  // namespace korder::fuzz

#define FUZZ_CHECK(condition) \
  ((condition) ? void() : ::korder::fuzz::Violated(#condition, __FILE__, __LINE__))
