// What of an order would fit, and which limits stand against the rest. Pure.
//
//   order default/my-order: 60 tickets of cpu 500m, memory 1Gi for 24h
//     does not fit: 40 of 60 tickets fit
//     QUOTA        LIMIT          REQUESTED   USED   HARD   CHANGES
//     team-quota   reserved.cpu          30      0     20   2026-05-04T18:00:00Z (in 3h12m)
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/check_result.h"
#include "cli/style.h"

namespace korder::cli {

std::string CheckText(const CheckReport& report, const Style& style, absl::Time now);

}  // namespace korder::cli
