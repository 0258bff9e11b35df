// A text that many objects have, such as the name of a namespace or a node: equal ones are kept
// once, and each of them takes eight bytes.
//
//   SharedText node_name = pod.spec.node_name;
//   const std::string& text = node_name;   // valid as long as one of the equal ones
//
// A value, which reads as a const std::string. One that nobody has any more goes when others are
// made. Thread-safe as any value.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace korder {

class SharedText {
 public:
  SharedText() = default;  // the empty text
  // NOLINTBEGIN(google-explicit-constructor): stands in for a string
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> SharedText(const Text& text)
      : kept_(Keep(text)) {}
  // NOLINTEND(google-explicit-constructor)
  SharedText(const SharedText& other) : kept_(other.kept_) {
    if (kept_ != nullptr) {
      kept_->users.fetch_add(1, std::memory_order_relaxed);
    }
  }
  SharedText(SharedText&& other) noexcept : kept_(std::exchange(other.kept_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(kept_, other.kept_);
    return *this;
  }
  ~SharedText() {
    if (kept_ != nullptr) {
      kept_->users.fetch_sub(1, std::memory_order_release);
    }
  }

  bool empty() const { return kept_ == nullptr; }
  const std::string& str() const { return kept_ != nullptr ? kept_->text : NoText(); }
  operator const std::string&() const { return str(); }  // NOLINT(google-explicit-constructor)
  operator std::string_view() const { return str(); }    // NOLINT(google-explicit-constructor)

  friend bool operator==(const SharedText& a, const SharedText& b) { return a.kept_ == b.kept_; }
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view>
  friend bool operator==(const SharedText& a, const Text& b) {
    return a.str() == std::string_view(b);
  }

  // How many texts the process keeps.
  static size_t Kept();

 private:
  struct Entry {
    explicit Entry(std::string_view kept) : text(kept) {}

    const std::string text;
    std::atomic<size_t> users = 0;
  };
  class Pool;

  static const std::string& NoText();
  // The one entry of the text, with one user more; null for the empty text.
  static Entry* Keep(std::string_view text);

  Entry* kept_ = nullptr;
};

}  // namespace korder
