#include "json/fields.h"

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace korder::json {
namespace {

// The number that the digits at `at` make; -1 if one of them is none.
int Digits(std::string_view text, size_t at, size_t count) {
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') {
      return -1;
    }
    number = number * 10 + (c - '0');
  }
  return number;
}

// "2026-11-01T10:00:00Z", as Kubernetes writes nearly every time: the general parser takes its
// time.
std::optional<absl::Time> ReadPlainTime(std::string_view text) {
  constexpr std::string_view kShape = "....-..-..T..:..:..Z";
  if (text.size() != kShape.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != '.' && kShape[i] != text[i]) {
      return std::nullopt;
    }
  }
  const int year = Digits(text, 0, 4);
  const int month = Digits(text, 5, 2);
  const int day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2);
  const int minute = Digits(text, 14, 2);
  const int second = Digits(text, 17, 2);
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  const bool exists = civil.year() == year && civil.month() == month && civil.day() == day &&
                      civil.hour() == hour && civil.minute() == minute && civil.second() == second;
  return exists ? std::optional(absl::FromCivil(civil, absl::UTCTimeZone())) : std::nullopt;
}

}  // namespace
}  // namespace korder::json

namespace absl {

void ReadJson(korder::json::Reader& r, Time& out) {
  const std::string_view text = r.String();
  if (const std::optional<Time> plain = korder::json::ReadPlainTime(text)) {
    out = *plain;
    return;
  }
  std::string error;
  if (r.ok() && !ParseTime(RFC3339_full, string_view(text.data(), text.size()), &out, &error)) {
    r.Fail(StrCat("\"", string_view(text.data(), text.size()), "\" is not an RFC 3339 time"));
  }
}

void WriteJson(korder::json::Writer& w, const Time& value) {
  w.String(FormatTime("%Y-%m-%dT%H:%M:%E*SZ", value, UTCTimeZone()));
}

}  // namespace absl
