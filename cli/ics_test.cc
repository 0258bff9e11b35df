#include "cli/ics.h"

#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_split.h"
#include "cli/testing.h"

namespace korder::cli {
namespace {

order_pb::CalendarWindow Window(const std::string& order, absl::Time start,
                                std::optional<absl::Time> end) {
  order_pb::CalendarWindow window;
  window.set_namespace_("default");
  window.set_order(order);
  SetTime(start, window.mutable_start());
  if (end) {
    SetTime(*end, window.mutable_end());
  }
  window.set_tickets(3);
  window.set_strategy("Scheduled");
  return window;
}

// What a reader makes of folded lines.
std::string Unfolded(std::string text) {
  size_t at = 0;
  while ((at = text.find("\r\n ", at)) != std::string::npos) {
    text.erase(at, 3);
  }
  return text;
}

// What a reader makes of an escaped value.
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      plain += text[i] == 'n' ? '\n' : text[i];
    } else {
      plain += text[i];
    }
  }
  return plain;
}

TEST_CASE("ics: an event for each window, skipped ones cancelled", "[ics]") {
  order_pb::CalendarResponse response;
  *response.add_windows() = Window("nightly", kNow + absl::Hours(2), kNow + absl::Hours(10));
  order_pb::CalendarWindow skipped = Window("once", kNow, std::nullopt);
  skipped.set_skipped(true);
  *response.add_windows() = skipped;
  std::string want = R"(BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//korder//korderctl//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:korder
BEGIN:VEVENT
UID:default/nightly/20260504T164800Z@korder.dev
DTSTAMP:20260504T144800Z
DTSTART:20260504T164800Z
DTEND:20260505T004800Z
SUMMARY:default/nightly: 3 tickets
DESCRIPTION:Scheduled order nightly in namespace default holds 3 tickets.
CATEGORIES:Scheduled
STATUS:CONFIRMED
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
UID:default/once/20260504T144800Z@korder.dev
DTSTAMP:20260504T144800Z
DTSTART:20260504T144800Z
SUMMARY:default/once: 3 tickets
DESCRIPTION:Scheduled order once in namespace default holds 3 tickets\, wit
 hout end\; this window is skipped.
CATEGORIES:Scheduled
STATUS:CANCELLED
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
)";
  for (size_t at = 0; (at = want.find('\n', at)) != std::string::npos; at += 2) {
    want.replace(at, 1, "\r\n");
  }
  CHECK(IcsText(response, kNow) == want);
}

TEST_CASE("ics: the same window has the same UID at any time, another one another", "[ics]") {
  const auto uid = [](const order_pb::CalendarWindow& window, absl::Time now) {
    order_pb::CalendarResponse response;
    *response.add_windows() = window;
    const std::string text = IcsText(response, now);
    const size_t at = text.find("UID:");
    return text.substr(at, text.find("\r\n", at) - at);
  };
  const order_pb::CalendarWindow window = Window("a", kNow, kNow + absl::Hours(1));
  CHECK(uid(window, kNow) == uid(window, kNow + absl::Hours(5)));
  CHECK(uid(window, kNow) != uid(Window("b", kNow, {}), kNow));
  CHECK(uid(window, kNow) != uid(Window("a", kNow + absl::Minutes(1), {}), kNow));
}

TEST_CASE("ics: the status of a paused order's window is tentative", "[ics]") {
  order_pb::CalendarResponse response;
  *response.add_windows() = Window("a", kNow, {});
  response.mutable_windows(0)->set_paused(true);
  CHECK_THAT(IcsText(response, kNow), Catch::Contains("\r\nSTATUS:TENTATIVE\r\n"));
}

TEST_CASE("ics: any text survives escaping and folding, and no line or character is broken",
          "[ics]") {
  constexpr std::string_view kPieces[] = {"a", "B c", ";",    ",",     "\\", "\n",
                                          "ü", "漢",  "🦀", "x=y:z", "\t"};
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (size_t i = random() % 120; i > 0; --i) {
      text += kPieces[random() % std::size(kPieces)];
    }
    const std::string line = IcsLine("SUMMARY:" + IcsEscaped(text));
    REQUIRE(line.ends_with("\r\n"));
    const std::string body = line.substr(0, line.size() - 2);
    for (const absl::string_view physical : absl::StrSplit(body, "\r\n")) {
      INFO(physical);
      REQUIRE(physical.size() <= 75);
      REQUIRE(physical.find('\n') == absl::string_view::npos);
      // No character begins in one line and ends in the next.
      const size_t first = !physical.empty() && physical.front() == ' ' ? 1 : 0;
      REQUIRE((physical.size() == first ||
               (static_cast<unsigned char>(physical[first]) & 0xC0) != 0x80));
    }
    REQUIRE(Unescaped(Unfolded(body).substr(std::string("SUMMARY:").size())) == text);
  }
}

TEST_CASE("ics: lines are folded at 75 octets and not before", "[ics]") {
  const std::string fits(75, 'x');
  CHECK(IcsLine(fits) == fits + "\r\n");
  CHECK(IcsLine(fits + "y") == fits + "\r\n y\r\n");
  CHECK(IcsLine(std::string(75 + 74, 'x') + "y") ==
        fits + "\r\n " + std::string(74, 'x') + "\r\n y\r\n");
  CHECK(IcsEscaped("a\r\nb\rc\x01") == "a\\nb\\nc");
}

}  // namespace
}  // namespace korder::cli
