#include "cli/calendar_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

void Add(order_pb::CalendarResponse& response, const std::string& ns, const std::string& order,
         absl::Duration start, absl::Duration length, const std::string& state = "") {
  order_pb::CalendarWindow& window = *response.add_windows();
  window.set_namespace_(ns);
  window.set_order(order);
  SetTime(kNow + start, window.mutable_start());
  if (length != absl::InfiniteDuration()) {
    SetTime(kNow + start + length, window.mutable_end());
  }
  window.set_tickets(3);
  window.set_strategy("Scheduled");
  window.set_skipped(state == "skipped");
  window.set_paused(state == "paused");
  window.set_running(state == "running");
}

order_pb::CalendarResponse Response() {
  order_pb::CalendarResponse response;
  constexpr absl::Duration kHour = absl::Hours(1);
  Add(response, "ml", "training", -2 * kHour, absl::InfiniteDuration(), "running");
  Add(response, "default", "nightly", -1 * kHour, 4 * kHour, "running");
  Add(response, "default", "nightly", 23 * kHour, 4 * kHour, "skipped");
  Add(response, "default", "idle", 26 * kHour, 6 * kHour, "paused");
  Add(response, "default", "nightly", 47 * kHour, 4 * kHour);
  return response;
}

const CalendarSpan kSpan = {.from = kNow, .to = kNow + absl::Hours(72), .now = kNow};

TEST_CASE("calendar: a table, and a line for each order below it", "[calendar]") {
  CHECK(
      CalendarText(Response(), kSpan, {.width = 90}) ==
      R"(ORDER             START                  WHEN       END                    TICKETS   STATE
ml/training       Mon 2026-05-04 12:48   2h ago     never                        3   runs now
default/nightly   Mon 2026-05-04 13:48   1h ago     Mon 2026-05-04 17:48         3   runs now
default/nightly   Tue 2026-05-05 13:48   in 23h     Tue 2026-05-05 17:48         3   skipped
default/idle      Tue 2026-05-05 16:48   in 1d2h    Tue 2026-05-05 22:48         3   paused
default/nightly   Wed 2026-05-06 13:48   in 1d23h   Wed 2026-05-06 17:48         3   -

                          Tue 05-05               Wed 05-06               Thu 05-07
                          00:00       12:00       00:00       12:00       00:00
default/idle              :           :    ------ :           :           :            :
default/nightly  ###      :           : xxxx      :           : ====      :            :
ml/training      #########################################################################
# runs now   = window   - paused   x skipped   (times in UTC)
)");
}

TEST_CASE("calendar: in a terminal that can show it", "[calendar]") {
  const std::string text =
      CalendarText(Response(), kSpan, {.color = true, .unicode = true, .width = 90});
  CHECK_THAT(text, Catch::Contains("\x1b[32m█\x1b[0m") && Catch::Contains("╌"));
}

TEST_CASE("calendar: wide says how long windows are", "[calendar]") {
  CHECK_THAT(CalendarText(Response(), kSpan, {.format = Format::kWide}),
             Catch::Contains("STRATEGY") && Catch::Contains("4h"));
}

TEST_CASE("calendar: nothing to show is said", "[calendar]") {
  CHECK(CalendarText({}, kSpan, {}) ==
        "no window from Mon 2026-05-04 14:48 to Thu 2026-05-07 14:48 UTC\n");
}

TEST_CASE("calendar: as YAML", "[calendar]") {
  order_pb::CalendarResponse response;
  Add(response, "ml", "training", absl::ZeroDuration(), absl::InfiniteDuration(), "running");
  CHECK(CalendarText(response, kSpan, {.format = Format::kYaml}) == R"(from: "2026-05-04T14:48:00Z"
to: "2026-05-07T14:48:00Z"
truncated: false
windows:
- namespace: ml
  order: training
  start: "2026-05-04T14:48:00Z"
  tickets: 3
  strategy: Scheduled
  skipped: false
  paused: false
  running: true
)");
}

}  // namespace
}  // namespace korder::cli
