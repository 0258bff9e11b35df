// Durations as Go writes them: "24h", "1h30m0s", "1.5s".
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::api {

// Exactly what Go's time.ParseDuration accepts, within its range of +-2^63 ns.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);
// Exactly what Go's Duration.String prints.
std::string FormatDuration(absl::Duration duration);

}  // namespace korder::api
