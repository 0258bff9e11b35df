#include "cli/timeline.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_split.h"
#include "cli/table.h"
#include "cli/testing.h"

namespace korder::cli {
namespace {

using Kind = Stretch::Kind;

const absl::Time kMidnight =
    absl::FromCivil(absl::CivilSecond(2026, 5, 4, 0, 0, 0), absl::UTCTimeZone());

absl::Time Hour(int hour) { return kMidnight + absl::Hours(hour); }

TEST_CASE("timeline: a day with its hours", "[timeline]") {
  Timeline timeline(Hour(0), Hour(24), 60, {});
  timeline.AddRow("default/a",
                  {{Hour(2), Hour(8), Kind::kRunning}, {Hour(14), Hour(20), Kind::kPlanned}});
  timeline.AddRow("b", {{Hour(0), Hour(12), Kind::kSkipped}, {Hour(12), Hour(30), Kind::kPaused}});
  CHECK(timeline.Render() == R"(           Mon 05-04
           00:00       06:00       12:00       18:00
default/a  :   ############        :   ============
b          xxxxxxxxxxxxxxxxxxxxxxxx|------------------------
# runs now   = window   - paused   x skipped   (times in UTC)
)");
}

TEST_CASE("timeline: a week with its days, without borders between short windows", "[timeline]") {
  Timeline timeline(Hour(10), Hour(7 * 24 + 10), 80, {});
  std::vector<Stretch> six_hours;
  for (int hour = 6; hour < 7 * 24 + 10; hour += 6) {
    six_hours.push_back({Hour(hour), Hour(hour + 6), hour == 6 ? Kind::kRunning : Kind::kPlanned});
  }
  timeline.AddRow("a", six_hours);
  CHECK(timeline.Render() ==
        R"(         Tue 05     Wed 06     Thu 07     Fri 08     Sat 09     Sun 10
a  #============================================================================
# runs now   = window   - paused   x skipped   (times in UTC)
)");
}

TEST_CASE("timeline: a year with dates", "[timeline]") {
  Timeline timeline(Hour(0), Hour(365 * 24), 80, {});
  timeline.AddRow("a", {{Hour(0), Hour(30 * 24), Kind::kPlanned}});
  CHECK(timeline.Render() ==
        R"(          06-08       08-03       09-28      11-23       01-18       03-15
a  ====== :           :           :          :           :           :
# runs now   = window   - paused   x skipped   (times in UTC)
)");
}

TEST_CASE("timeline: no line is wider than it may be, whatever the span", "[timeline]") {
  for (const bool unicode : {false, true}) {
    for (const int hours : {1, 3, 24, 100, 168, 744, 366 * 24}) {
      for (const size_t width : {size_t{40}, size_t{80}, size_t{120}}) {
        const absl::Time from = kNow;
        const absl::Time to = kNow + absl::Hours(hours);
        Timeline timeline(from, to, width, {.unicode = unicode});
        timeline.AddRow("a-namespace-with-a-long-name/an-order-with-a-very-long-name-too",
                        {{from - absl::Hours(1), absl::InfiniteFuture(), Kind::kPlanned}});
        timeline.AddRow("b", {{to - absl::Seconds(1), to, Kind::kRunning}});
        const std::string text = timeline.Render();
        INFO(hours << " hours in " << width << "\n" << text);
        std::vector<std::string> lines = absl::StrSplit(text, '\n');
        lines.resize(lines.size() - 2);  // the legend has its own width
        for (const std::string& line : lines) {
          CHECK(DisplayWidth(line) <= width);
        }
        // However short, it is to be seen.
        CHECK(text.find(unicode ? "█" : "#") != text.rfind(unicode ? "█" : "#"));
      }
    }
  }
}

}  // namespace
}  // namespace korder::cli
