// A std::optional<absl::Time> in eight bytes instead of 24: nearly all times of Kubernetes are
// whole seconds.
//
//   CompactTime finished = status.finished_time;
//   if (finished && *finished < now) { ... }
//
// No time is rounded. Thread-safe as any value.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "base/word_or.h"

namespace korder {

class CompactTime {
 public:
  CompactTime() = default;
  CompactTime(std::nullopt_t) {}  // NOLINT(google-explicit-constructor): as std::optional
  CompactTime(absl::Time time)    // NOLINT(google-explicit-constructor)
      : word_(WordOf(time)) {}
  CompactTime(const std::optional<absl::Time>& time)  // NOLINT(google-explicit-constructor)
      : word_(time ? WordOf(*time) : WordOr<absl::Time>()) {}

  bool has_value() const { return word_.has_value(); }
  explicit operator bool() const { return has_value(); }
  // REQUIRES: has_value().
  absl::Time operator*() const {
    const std::optional<int64_t> seconds = word_.number();
    return seconds ? absl::FromUnixSeconds(*seconds) : *word_.other();
  }
  absl::Time value_or(absl::Time none) const { return has_value() ? **this : none; }
  operator std::optional<absl::Time>() const {  // NOLINT(google-explicit-constructor)
    return has_value() ? std::optional(**this) : std::nullopt;
  }

  friend bool operator==(const CompactTime&, const CompactTime&) = default;

 private:
  static WordOr<absl::Time> WordOf(absl::Time time) {
    const int64_t seconds = absl::ToUnixSeconds(time);
    return WordOr<absl::Time>::Fits(seconds) && absl::FromUnixSeconds(seconds) == time
               ? WordOr<absl::Time>(seconds)
               : WordOr<absl::Time>(time);
  }

  WordOr<absl::Time> word_;
};

}  // namespace korder
