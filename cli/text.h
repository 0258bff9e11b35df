// Small pieces of text that several views share. Pure.
//
//   WhenText(change, now);   // "2026-05-04T18:00:00Z (in 3h12m)"
//   Count(2, "ticket");      // "2 tickets"
#pragma once

#include <cstdint>
#include <google/protobuf/map.h>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace google::protobuf {
class Duration;
class Timestamp;
}  // namespace google::protobuf

namespace korder::cli {

// The two largest units: "3h12m", "2d4h", "42s"; "0s" for nothing and less.
std::string ShortDuration(absl::Duration duration);

// RFC 3339 in UTC, whole seconds.
std::string TimeText(absl::Time time);
// With how far away that is.
std::string WhenText(absl::Time time, absl::Time now);

absl::Time FromProto(const google::protobuf::Timestamp& time);

// "Mon 2026-05-04 18:00", in that zone.
std::string LocalText(absl::Time time, absl::TimeZone zone);
// "in 3h12m", "2h ago", "now".
std::string RelativeText(absl::Time time, absl::Time now);

// "cpu 500m, memory 1Gi for 1d". Without a duration it has no end.
std::string ClaimText(const google::protobuf::Map<std::string, std::string>& requests,
                      const google::protobuf::Duration* duration);

// "1 ticket", "2 tickets".
std::string Count(int64_t count, std::string_view noun);

// With an escape sequence ("1" bold, "31" red, "32" green, "33" yellow) when `color` says so.
std::string Painted(std::string_view text, std::string_view code, bool color);

}  // namespace korder::cli
