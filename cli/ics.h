// Windows as an iCalendar file (RFC 5545), for calendar programs. Pure.
//
//   out << IcsText(response, clock.Now());
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cli/pb.h"

namespace korder::cli {

// One event for each window; the same window has the same UID every time. Times are in UTC, lines
// end in CRLF. A window without end has no DTEND; a skipped one is CANCELLED, one of a paused order
// TENTATIVE.
std::string IcsText(const order_pb::CalendarResponse& response, absl::Time now);

// One content line, folded so that no physical line has more than 75 octets and no character is
// torn, with its CRLF.
std::string IcsLine(std::string_view line);
// Text as the value of a property.
std::string IcsEscaped(std::string_view text);

}  // namespace korder::cli
