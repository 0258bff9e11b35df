#include "cli/ics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

constexpr size_t kMostOctets = 75;

std::string Utc(absl::Time time) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
}

std::string_view Status(const order_pb::CalendarWindow& window) {
  return window.skipped() ? "CANCELLED" : window.paused() ? "TENTATIVE" : "CONFIRMED";
}

std::string Description(const order_pb::CalendarWindow& window) {
  std::string text =
      absl::StrCat(window.strategy(), " order ", window.order(), " in namespace ",
                   window.namespace_(), " holds ", Count(window.tickets(), "ticket"));
  if (!window.has_end()) {
    text += ", without end";
  }
  if (window.skipped()) {
    text += "; this window is skipped";
  } else if (window.paused()) {
    text += "; the order is paused";
  }
  return text + ".";
}

std::string Event(const order_pb::CalendarWindow& window, absl::Time now) {
  const absl::Time start = FromProto(window.start());
  const std::string name = absl::StrCat(window.namespace_(), "/", window.order());
  std::string text;
  const auto add = [&text](std::string_view property, const std::string& value) {
    text += IcsLine(absl::StrCat(std::string(property), ":", value));
  };
  add("BEGIN", "VEVENT");
  add("UID", IcsEscaped(absl::StrCat(name, "/", Utc(start), "@korder.dev")));
  add("DTSTAMP", Utc(now));
  add("DTSTART", Utc(start));
  if (window.has_end()) {
    add("DTEND", Utc(FromProto(window.end())));
  }
  add("SUMMARY", IcsEscaped(absl::StrCat(name, ": ", Count(window.tickets(), "ticket"))));
  add("DESCRIPTION", IcsEscaped(Description(window)));
  add("CATEGORIES", IcsEscaped(window.strategy()));
  add("STATUS", std::string(Status(window)));
  add("TRANSP", "TRANSPARENT");  // nobody is busy then
  add("END", "VEVENT");
  return text;
}

}  // namespace

std::string IcsEscaped(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' || c == ';' || c == ',') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n' || (c == '\r' && text.substr(i, 2) != "\r\n")) {
      escaped += "\\n";
    } else if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f')) {
      escaped += c;  // other control characters are not allowed
    }
  }
  return escaped;
}

std::string IcsLine(std::string_view line) {
  std::string text;
  size_t room = kMostOctets;
  while (line.size() > room) {
    const size_t cut = std::max<size_t>(1, CutBetweenCharacters(line, room).size());
    absl::StrAppend(&text, std::string(line.substr(0, cut)), "\r\n ");
    line.remove_prefix(cut);
    room = kMostOctets - 1;  // after the space
  }
  return absl::StrCat(text, std::string(line), "\r\n");
}

std::string IcsText(const order_pb::CalendarResponse& response, absl::Time now) {
  std::string text;
  for (const std::string_view line :
       {"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//korder//korderctl//EN", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", "X-WR-CALNAME:korder"}) {
    text += IcsLine(line);
  }
  for (const order_pb::CalendarWindow& window : response.windows()) {
    text += Event(window, now);
  }
  return text + IcsLine("END:VCALENDAR");
}

}  // namespace korder::cli
