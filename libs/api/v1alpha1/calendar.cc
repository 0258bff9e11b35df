#include "api/v1alpha1/calendar.h"

#include <optional>

namespace korder::api {
namespace {

constexpr int kMinutesPerDay = 24 * 60;

// 'd' stands for any digit; everything else for itself.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i]) {
      return false;
    }
  }
  return true;
}

// "09:30" -> 570. REQUIRES: HasShape(text, "dd:dd").
std::optional<int> MinuteOfDay(std::string_view text) {
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const int sum = hour * 60 + minute;
  return minute < 60 && sum <= kMinutesPerDay ? std::optional(sum) : std::nullopt;
}

}  // namespace

absl::StatusOr<DayHours> ParseDayHours(std::string_view text) {
  if (HasShape(text, "dd:dd-dd:dd")) {
    const std::optional<int> begin = MinuteOfDay(text.substr(0, 5));
    const std::optional<int> end = MinuteOfDay(text.substr(6));
    if (begin && end && *begin != *end && *begin < kMinutesPerDay) {
      return DayHours{*begin, *end};
    }
  }
  return InvalidArgumentError(
      "must be HH:MM-HH:MM with two different times, such as 09:00-18:00 or 22:00-06:00");
}

absl::StatusOr<SkipEntry> ParseSkipEntry(std::string_view text) {
  const absl::string_view view(text.data(), text.size());
  absl::CivilDay day;
  if (HasShape(text, "dddd-dd-dd") && absl::ParseCivilTime(view, &day)) {
    return day;
  }
  // The shape keeps out what absl understands beyond RFC 3339: spaces, "infinite-future".
  absl::Time instant;
  if (HasShape(text.substr(0, 10), "dddd-dd-dd") && text.back() != ' ' &&
      absl::ParseTime(absl::RFC3339_full, view, &instant, nullptr)) {
    return instant;
  }
  return InvalidArgumentError(
      "must be an RFC 3339 instant (2026-12-24T02:00:00Z) or a date (2026-12-24)");
}

}  // namespace korder::api
