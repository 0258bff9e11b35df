// A whole number, or an object on the heap, or nothing, in the space of one pointer: for what
// nearly always is a number, where there are tens of thousands.
//
//   WordOr<std::string> version(42);   // takes no memory of its own
//   version = WordOr<std::string>(std::string("forty-two"));
//
// A value: copies are deep, comparison is of what is inside. Thread-safe as any value.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace korder {

template <class Other>
class WordOr {
 public:
  // Numbers have one bit less than the word and a sign.
  static constexpr int64_t kMost = (int64_t{1} << 62) - 1;
  static constexpr bool Fits(int64_t number) { return -kMost <= number && number <= kMost; }

  WordOr() = default;
  // REQUIRES: Fits(number).
  explicit WordOr(int64_t number) : word_(static_cast<uint64_t>(number) << 1 | 1) {}
  explicit WordOr(Other other) : word_(WordOf(new Other(std::move(other)))) {}
  WordOr(const WordOr& from)
      : word_(from.other() != nullptr ? WordOf(new Other(*from.other())) : from.word_) {}
  WordOr(WordOr&& from) noexcept : word_(std::exchange(from.word_, 0)) {}
  WordOr& operator=(WordOr from) noexcept {
    std::swap(word_, from.word_);
    return *this;
  }
  ~WordOr() { delete other(); }

  bool has_value() const { return word_ != 0; }
  std::optional<int64_t> number() const {
    return IsNumber() ? std::optional(static_cast<int64_t>(word_) >> 1) : std::nullopt;
  }
  // Null when there is none.
  const Other* other() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the address that WordOf took
    return IsNumber() ? nullptr : reinterpret_cast<const Other*>(word_);
  }

  friend bool operator==(const WordOr& a, const WordOr& b) {
    return a.other() != nullptr && b.other() != nullptr ? *a.other() == *b.other()
                                                        : a.word_ == b.word_;
  }

 private:
  static_assert(alignof(Other) > 1 && sizeof(uint64_t) == sizeof(const Other*));
  static uint64_t WordOf(const Other* other) { return reinterpret_cast<uint64_t>(other); }
  bool IsNumber() const { return (word_ & 1) != 0; }

  // 0, or an address, which is even, or twice the number and 1.
  uint64_t word_ = 0;
};

}  // namespace korder
