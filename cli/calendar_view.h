// The windows of orders: a table and a timeline, JSON or YAML. Pure.
//
//   out << CalendarText(response, {.from = from, .to = to, .now = now}, style);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/pb.h"
#include "cli/style.h"

namespace korder::cli {

// What was asked for.
struct CalendarSpan {
  absl::Time from;
  absl::Time to;
  absl::Time now;
};

std::string CalendarText(const order_pb::CalendarResponse& response, const CalendarSpan& span,
                         const Style& style);

}  // namespace korder::cli
