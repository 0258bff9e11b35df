#include "api/v1alpha1/order_windows.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

absl::Time At(const char* text) {
  absl::Time time;
  std::string problem;
  INFO(text);
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &problem));
  return time;
}

OrderSpec Spec(StrategyType type, const std::string& schedule, absl::Duration duration,
               const std::string& zone = "") {
  OrderSpec spec;
  spec.strategy.type = type;
  spec.strategy.schedule = schedule;
  spec.strategy.time_zone = zone;
  spec.ticket_template.spec.duration = duration;
  return spec;
}

OrderWindows Of(const OrderSpec& spec) {
  auto windows = OrderWindows::Of(spec);
  INFO(windows.status());
  REQUIRE(windows.ok());
  return *windows;
}

TEST_CASE("windows: a Scheduled window is open from its tick until its duration is over",
          "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kScheduled, "0 2 * * *", absl::Hours(8)));
  CHECK(windows.OpenAt(At("2026-03-10T01:59:59Z")).empty());
  const Window window{At("2026-03-10T02:00:00Z"), At("2026-03-10T10:00:00Z")};
  CHECK(windows.OpenAt(window.start) == std::vector{window});
  CHECK(windows.OpenAt(window.end - absl::Nanoseconds(1)) == std::vector{window});
  CHECK(windows.OpenAt(window.end).empty());
  CHECK(windows.Next(window.start)->start == window.start + absl::Hours(24));
}

TEST_CASE("windows: a tick is an instant at which the schedule fires", "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kScheduled, "0 2 * * *", absl::Hours(8)));
  CHECK(windows.IsTick(At("2026-03-10T02:00:00Z")));
  CHECK_FALSE(windows.IsTick(At("2026-03-10T02:00:01Z")));
  CHECK_FALSE(windows.IsTick(At("2026-03-10T03:00:00Z")));
  CHECK_FALSE(
      Of(Spec(StrategyType::kOneTime, "", absl::Hours(1))).IsTick(At("2026-03-10T02:00:00Z")));
}

TEST_CASE("windows: without a duration a Scheduled window lasts until the next tick", "[windows]") {
  OrderSpec spec = Spec(StrategyType::kScheduled, "0 9,17 * * *", absl::Hours(1));
  spec.ticket_template.spec.duration.reset();
  const auto open = Of(spec).OpenAt(At("2026-03-10T12:00:00Z"));
  REQUIRE(open.size() == 1);
  CHECK(open[0] == Window{At("2026-03-10T09:00:00Z"), At("2026-03-10T17:00:00Z")});
}

TEST_CASE("windows: those that overlap are all open, the oldest first", "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kScheduled, "0 * * * *", absl::Minutes(150)));
  const auto open = windows.OpenAt(At("2026-03-10T12:10:00Z"));
  REQUIRE(open.size() == 3);
  CHECK(open[0].start == At("2026-03-10T10:00:00Z"));
  CHECK(open[2].start == At("2026-03-10T12:00:00Z"));
  CHECK(windows.OpenAt(At("2026-03-10T12:10:00Z"), 2).front().start == At("2026-03-10T11:00:00Z"));
}

TEST_CASE("windows: the lead time opens a window early, and does not make it longer", "[windows]") {
  OrderSpec spec = Spec(StrategyType::kScheduled, "0 2 * * *", absl::Hours(1));
  spec.strategy.lead_time = absl::Minutes(10);
  const OrderWindows windows = Of(spec);
  CHECK(windows.OpenAt(At("2026-03-10T01:49:59Z")).empty());
  CHECK(windows.OpenAt(At("2026-03-10T01:50:00Z")).front().start == At("2026-03-10T02:00:00Z"));
  CHECK(windows.OpenAt(At("2026-03-10T03:00:00Z")).empty());
}

TEST_CASE("windows: a day is skipped in the order's own zone, an instant exactly", "[windows]") {
  OrderSpec spec = Spec(StrategyType::kScheduled, "30 0 * * *", absl::Hours(1), "Pacific/Auckland");
  spec.strategy.skip = {"2026-07-02", "2026-07-02T12:30:00Z"};  // the latter is 3 July, 00:30
  const OrderWindows windows = Of(spec);
  const auto next = windows.Next(At("2026-06-30T12:30:00Z"));  // 1 July, 00:30
  REQUIRE(next);
  CHECK(next->start == At("2026-07-03T12:30:00Z"));
  CHECK(windows.Skips(At("2026-07-01T12:30:00Z")));
  CHECK_FALSE(windows.Skips(At("2026-07-03T12:30:00Z")));
}

TEST_CASE("windows: a clock change inside a window leaves its length alone", "[windows]") {
  // New York, 8 March 2026: 02:00 EST becomes 03:00 EDT.
  const OrderWindows spring =
      Of(Spec(StrategyType::kScheduled, "0 1 * * *", absl::Hours(8), "America/New_York"));
  const auto open = spring.OpenAt(At("2026-03-08T10:00:00Z"));
  REQUIRE(open.size() == 1);
  CHECK(open[0] == Window{At("2026-03-08T06:00:00Z"), At("2026-03-08T14:00:00Z")});
  CHECK(spring.Next(open[0].start)->start == At("2026-03-09T05:00:00Z"));
  // Lord Howe turns its clocks by half an hour: 5 April 2026, 02:00 LHDT becomes 01:30 LHST.
  const OrderWindows howe =
      Of(Spec(StrategyType::kScheduled, "45 1 * * *", absl::Hours(2), "Australia/Lord_Howe"));
  const auto night = howe.Between(At("2026-04-04T12:00:00Z"), At("2026-04-05T12:00:00Z"), 10);
  REQUIRE(night.size() == 1);  // 01:45 comes twice and opens one window, at the first
  CHECK(night[0].start == At("2026-04-04T14:45:00Z"));
}

TEST_CASE("windows: in autumn a window of New York is open for as long as in any other night",
          "[windows]") {
  // 1 November 2026: 02:00 EDT becomes 01:00 EST.
  const OrderWindows autumn =
      Of(Spec(StrategyType::kScheduled, "30 1 * * *", absl::Hours(2), "America/New_York"));
  const Window window{At("2026-11-01T05:30:00Z"), At("2026-11-01T07:30:00Z")};
  CHECK(autumn.OpenAt(At("2026-11-01T05:29:59Z")).empty());
  // The second 01:30 is in the middle of the window and opens no other one.
  CHECK(autumn.OpenAt(At("2026-11-01T06:30:00Z")) == std::vector{window});
  CHECK(autumn.OpenAt(window.end).empty());
  CHECK(autumn.Next(window.start)->start == At("2026-11-02T06:30:00Z"));
}

TEST_CASE("windows: Lord Howe's half hour comes and goes inside a window", "[windows]") {
  // 5 April 2026: 02:00 LHDT becomes 01:30 LHST; 4 October 2026: 02:00 LHST becomes 02:30 LHDT.
  const OrderWindows night =
      Of(Spec(StrategyType::kScheduled, "45 1 * * *", absl::Hours(1), "Australia/Lord_Howe"));
  const Window autumn{At("2026-04-04T14:45:00Z"), At("2026-04-04T15:45:00Z")};
  CHECK(night.OpenAt(At("2026-04-04T15:15:00Z")) == std::vector{autumn});  // 01:45 once more
  CHECK(night.OpenAt(autumn.end).empty());
  const Window spring{At("2026-10-03T15:15:00Z"), At("2026-10-03T16:15:00Z")};
  CHECK(night.OpenAt(At("2026-10-03T15:30:00Z")) == std::vector{spring});
  CHECK(night.OpenAt(spring.end).empty());
  // 02:15 does not exist in spring: that window opens at 02:30, when the clock has leapt.
  const OrderWindows gap =
      Of(Spec(StrategyType::kScheduled, "15 2 * * *", absl::Hours(1), "Australia/Lord_Howe"));
  CHECK(gap.OpenAt(At("2026-10-03T15:29:59Z")).empty());
  CHECK(gap.OpenAt(At("2026-10-03T15:30:00Z")) ==
        std::vector{Window{At("2026-10-03T15:30:00Z"), At("2026-10-03T16:30:00Z")}});
}

TEST_CASE("windows: a Recurring order's window is shorter in spring and longer in autumn",
          "[windows]") {
  const OrderWindows daily =
      Of(Spec(StrategyType::kRecurring, "@daily", absl::Hours(48), "America/New_York"));
  const auto length = [&](const char* now) {
    const auto open = daily.OpenAt(At(now));
    REQUIRE(open.size() == 1);
    return open[0].end - open[0].start;
  };
  CHECK(length("2026-03-08T12:00:00Z") == absl::Hours(23));
  CHECK(length("2026-11-01T12:00:00Z") == absl::Hours(25));
  CHECK(length("2026-11-02T12:00:00Z") == absl::Hours(24));
}

TEST_CASE("windows: @daily with a zone before it opens at that zone's midnight", "[windows]") {
  for (const char* zone : {"", "Asia/Tokyo"}) {
    const OrderWindows windows =
        Of(Spec(StrategyType::kScheduled, "TZ=Asia/Tokyo @daily", absl::Hours(1), zone));
    CHECK(windows.Next(At("2026-03-10T00:00:00Z"))->start == At("2026-03-10T15:00:00Z"));
    CHECK(windows.zone().name() == "Asia/Tokyo");
  }
  CHECK_FALSE(OrderWindows::Of(Spec(StrategyType::kScheduled, "TZ=Asia/Tokyo @daily",
                                    absl::Hours(1), "Europe/Berlin"))
                  .ok());
}

TEST_CASE("windows: at night means from 18 to 8", "[windows]") {
  const OrderWindows windows =
      Of(Spec(StrategyType::kScheduled, "0 18-8 * * *", absl::Hours(1), "Europe/Berlin"));
  CHECK(windows.OpenAt(At("2026-01-10T07:59:59Z")).size() == 1);  // 08:59
  CHECK(windows.OpenAt(At("2026-01-10T08:00:00Z")).empty());
  CHECK(windows.Next(At("2026-01-10T08:00:00Z"))->start == At("2026-01-10T17:00:00Z"));
}

TEST_CASE("windows: an order of every minute that leaves out a year still has a next window",
          "[windows]") {
  OrderSpec spec =
      Spec(StrategyType::kScheduled, "* * * * *", absl::Minutes(1), "America/New_York");
  for (absl::CivilDay day(2026, 1, 1); day.year() == 2026; ++day) {
    spec.strategy.skip.push_back(absl::FormatCivilTime(day));
  }
  spec.strategy.skip.push_back("2027-01-01T05:00:00Z");
  const OrderWindows windows = Of(spec);
  CHECK(windows.Next(At("2026-01-01T05:00:00Z"))->start == At("2027-01-01T05:01:00Z"));
}

TEST_CASE("windows: a Recurring order's last from one tick to the next", "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kRecurring, "0 */6 * * *", absl::Hours(24)));
  const auto open = windows.OpenAt(At("2026-03-10T07:00:00Z"));
  REQUIRE(open.size() == 1);
  CHECK(open[0] == Window{At("2026-03-10T06:00:00Z"), At("2026-03-10T12:00:00Z")});
}

TEST_CASE("windows: a OneTime order has one, if it says when", "[windows]") {
  OrderSpec spec = Spec(StrategyType::kOneTime, "", absl::Hours(1));
  CHECK(Of(spec).OpenAt(At("2026-03-10T07:00:00Z")).empty());
  CHECK_FALSE(Of(spec).Next(At("2026-03-10T07:00:00Z")));
  spec.ticket_template.spec.start_time = At("2026-03-10T08:00:00Z");
  CHECK(Of(spec).Next(At("2026-03-10T07:00:00Z"))->end == At("2026-03-10T09:00:00Z"));
  CHECK(Of(spec).OpenAt(At("2026-03-10T08:59:00Z")).size() == 1);
  CHECK_FALSE(Of(spec).Next(At("2026-03-10T08:00:00Z")));
}

TEST_CASE("windows: those of a span of time begin with what runs at its beginning", "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kScheduled, "0 2 * * *", absl::Hours(8)));
  const auto found = windows.Between(At("2026-03-10T05:00:00Z"), At("2026-03-12T02:00:00Z"), 10);
  REQUIRE(found.size() == 2);
  CHECK(found[0].start == At("2026-03-10T02:00:00Z"));
  CHECK(found[1].start == At("2026-03-11T02:00:00Z"));
  CHECK(windows.Between(At("2026-03-10T05:00:00Z"), At("2027-03-12T02:00:00Z"), 3).size() == 3);
}

TEST_CASE("windows: a leap day, and what comes once in 400 years", "[windows]") {
  const OrderWindows windows = Of(Spec(StrategyType::kScheduled, "0 0 29 2 *", absl::Hours(1)));
  CHECK(windows.Next(At("2026-01-01T00:00:00Z"))->start == At("2028-02-29T00:00:00Z"));
  CHECK(windows.Next(At("2096-03-01T00:00:00Z"))->start == At("2104-02-29T00:00:00Z"));
}

}  // namespace
}  // namespace korder::api
