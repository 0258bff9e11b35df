// How full quotas are, as bars. Pure.
//
//   team-quota   NamespaceSelector   window business-hours   changes 2026-05-04T18:00:00Z (in 3h)
//     orders          3 / 10     30%  ######..............
//     reserved.cpu   18 / 20     90%  ##################..
//     max-duration        24h         for each ticket
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/pb.h"
#include "cli/style.h"

namespace korder::cli {

std::string QuotaUsageBars(const pb::QueryResponse& response, const Style& style, absl::Time now);

// `ratio` of a bar of `width` characters. Full only when there is no room left, and empty only when
// nothing is used.
std::string Bar(double ratio, int width, const Style& style);

// Rounded down, so that 100% means full: "0%", "<1%", "99%", "140%".
std::string PercentText(double ratio);

}  // namespace korder::cli
