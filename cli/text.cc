#include "cli/text.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace korder::cli {

std::string ShortDuration(absl::Duration duration) {
  struct Unit {
    const char* name;
    int64_t seconds;
  };
  constexpr std::array<Unit, 4> kUnits = {{{"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}}};
  int64_t left = std::max<int64_t>(absl::ToInt64Seconds(duration), 0);
  std::string text;
  int parts = 0;
  for (const Unit& unit : kUnits) {
    const int64_t count = left / unit.seconds;
    left %= unit.seconds;
    if (count > 0) {
      absl::StrAppend(&text, count, unit.name);
    }
    // Two neighbours at most: "1d" and not "1d5s".
    if ((count > 0 || parts > 0) && ++parts == 2) {
      break;
    }
  }
  return text.empty() ? "0s" : text;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string WhenText(absl::Time time, absl::Time now) {
  return time >= now ? absl::StrCat(TimeText(time), " (in ", ShortDuration(time - now), ")")
                     : absl::StrCat(TimeText(time), " (", ShortDuration(now - time), " ago)");
}

std::string LocalText(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%a %Y-%m-%d %H:%M", time, zone);
}

std::string RelativeText(absl::Time time, absl::Time now) {
  if (absl::AbsDuration(time - now) < absl::Seconds(1)) {
    return "now";
  }
  return time > now ? absl::StrCat("in ", ShortDuration(time - now))
                    : absl::StrCat(ShortDuration(now - time), " ago");
}

std::string ClaimText(const google::protobuf::Map<std::string, std::string>& requests,
                      const google::protobuf::Duration* duration) {
  std::vector<std::string> parts;
  for (const auto& [resource, amount] :
       std::map<std::string, std::string>(requests.begin(), requests.end())) {
    parts.push_back(absl::StrCat(resource, " ", amount));
  }
  const std::string text = absl::StrJoin(parts, ", ");
  return duration == nullptr
             ? text + ", without end"
             : absl::StrCat(text, " for ", ShortDuration(absl::Seconds(duration->seconds())));
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Count(int64_t count, std::string_view noun) {
  return absl::StrCat(count, " ", std::string(noun), count == 1 ? "" : "s");
}

std::string Painted(std::string_view text, std::string_view code, bool color) {
  return color ? absl::StrCat("\x1b[", std::string(code), "m", std::string(text), "\x1b[0m")
               : std::string(text);
}

}  // namespace korder::cli
