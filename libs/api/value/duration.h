// Durations as Go writes them, which is how every Kubernetes API does: "24h", "1h30m", "1.5h".
//
//   ASSIGN_OR_RETURN(const absl::Duration lead, ParseDuration("1h30m"));
//   PrintDuration(lead);   // "1h30m0s"
//
// Both agree with Go's time.ParseDuration and Duration.String for every text and value, in the
// limits (about 292 years) and in the rounding of fractions.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::json {
class Reader;
class Writer;
}  // namespace korder::json

namespace korder::api {

// INVALID_ARGUMENT with the rule that `text` breaks, a fragment that reads on after it.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// Fractions of a nanosecond are dropped; what Go cannot hold becomes its longest duration. Not
// named FormatDuration, which argument-dependent lookup would also find in absl, with another
// format.
std::string PrintDuration(absl::Duration duration);

}  // namespace korder::api

namespace absl {
// In JSON a duration is its string. Found by argument-dependent lookup, hence in absl's namespace.
void ReadJson(korder::json::Reader& r, Duration& out);
void WriteJson(korder::json::Writer& w, const Duration& value);
}  // namespace absl
