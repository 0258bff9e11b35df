#include "cli/preview_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

order_pb::PreviewWindow Window(absl::Time start, absl::Duration length, int tickets) {
  order_pb::PreviewWindow window;
  SetTime(start, window.mutable_start());
  SetTime(start, window.mutable_prepare_time());
  if (length != absl::InfiniteDuration()) {
    SetTime(start + length, window.mutable_end());
  }
  window.set_tickets(tickets);
  window.mutable_quota()->set_fitting_tickets(tickets);
  window.mutable_quota()->set_order_fits(true);
  window.mutable_quota()->add_quotas("team-quota");
  return window;
}

void Deny(order_pb::PreviewWindow& window, int fitting) {
  window.mutable_quota()->set_fitting_tickets(fitting);
  pb::Denied& denied = *window.mutable_quota()->add_denials();
  denied.set_quota("team-quota");
  denied.set_resource("reserved.cpu");
  denied.set_requested("1500m");
  denied.set_used("19");
  denied.set_limit("20");
  denied.set_message("quota team-quota: reserved.cpu: requested 1500m, used 19 of 20");
}

OrderPreview Nightly() {
  OrderPreview preview{
      .ns = "default", .name = "nightly", .response = {}, .free = {}, .no_free = ""};
  order_pb::PreviewResponse& response = preview.response;
  response.set_strategy("Scheduled");
  response.set_schedule("0 20 * * *");
  response.set_time_zone("Europe/Berlin");
  response.set_refresh_policy("OnClaim");
  (*response.mutable_requests())["cpu"] = "500m";
  (*response.mutable_requests())["memory"] = "1Gi";
  response.mutable_duration()->set_seconds(8 * 3600);
  const absl::Time first = kNow + absl::Minutes(192);
  for (int day = 0; day < 4; ++day) {
    *response.add_windows() = Window(first + day * absl::Hours(24), absl::Hours(8), 3);
  }
  response.mutable_nodes()->set_nodes(10);
  response.mutable_nodes()->set_eligible(9);
  response.mutable_nodes()->set_large_enough(8);
  response.mutable_nodes()->set_tickets(120);
  preview.free = FreeNow{.tickets = 37, .nodes = 8, .eligible = 9};
  return preview;
}

TEST_CASE("preview: windows in the order's zone, verdicts, and what the nodes hold", "[preview]") {
  OrderPreview preview = Nightly();
  SetTime(FromProto(preview.response.windows(0).start()) - absl::Minutes(10),
          preview.response.mutable_windows(0)->mutable_prepare_time());
  CHECK(preview.Fits());
  CHECK(PreviewText({preview}, {}, kNow) ==
        R"(order default/nightly: Scheduled "0 20 * * *" in Europe/Berlin, refresh OnClaim
  each ticket: cpu 500m, memory 1Gi for 8h
  #   START                  WHEN       END                    TICKETS   QUOTA   NOTE
  1   Mon 2026-05-04 20:00   in 3h12m   Tue 2026-05-05 04:00         3   fits    guardians 10m before
  2   Tue 2026-05-05 20:00   in 1d3h    Wed 2026-05-06 04:00         3   fits    -
  3   Wed 2026-05-06 20:00   in 2d3h    Thu 2026-05-07 04:00         3   fits    -
  4   Thu 2026-05-07 20:00   in 3d3h    Fri 2026-05-08 04:00         3   fits    -
  nodes: 9 of 10 are eligible, 8 are large enough; empty, they would hold 120 tickets
  free now: room for 37 tickets on 8 of 9 eligible nodes
)");
}

TEST_CASE("preview: what is denied says in which windows, by which limit", "[preview]") {
  OrderPreview preview = Nightly();
  for (const int i : {0, 1, 3}) {
    Deny(*preview.response.mutable_windows(i), i == 3 ? 0 : 1);
  }
  preview.response.mutable_windows(2)->set_skipped(true);
  preview.response.mutable_windows(2)->clear_quota();
  preview.response.add_notes("the order is paused: it makes no tickets until it is resumed");
  preview.free.reset();
  preview.no_free = "you may not list nodes and the pods of all namespaces";
  CHECK_FALSE(preview.Fits());
  CHECK(PreviewText({preview}, {}, kNow) ==
        R"(order default/nightly: Scheduled "0 20 * * *" in Europe/Berlin, refresh OnClaim
  each ticket: cpu 500m, memory 1Gi for 8h
  #   START                  WHEN       END                    TICKETS   QUOTA         NOTE
  1   Mon 2026-05-04 20:00   in 3h12m   Tue 2026-05-05 04:00         3   1 of 3 fits   -
  2   Tue 2026-05-05 20:00   in 1d3h    Wed 2026-05-06 04:00         3   1 of 3 fits   -
  3   Wed 2026-05-06 20:00   in 2d3h    Thu 2026-05-07 04:00         3   -             skipped
  4   Thu 2026-05-07 20:00   in 3d3h    Fri 2026-05-08 04:00         3   0 of 3 fit    -
  denied in windows 1-2, 4:
    QUOTA        LIMIT          REQUESTED   USED   HARD   CHANGES
    team-quota   reserved.cpu       1500m     19     20   -
  nodes: 9 of 10 are eligible, 8 are large enough; empty, they would hold 120 tickets
  free now: not known: you may not list nodes and the pods of all namespaces
  note: the order is paused: it makes no tickets until it is resumed
)");
}

TEST_CASE("preview: one window without end, one ticket for each node", "[preview]") {
  OrderPreview preview = Nightly();
  order_pb::PreviewResponse& response = preview.response;
  response.set_strategy("OneTime");
  response.clear_schedule();
  response.set_time_zone("UTC");
  response.clear_duration();
  response.set_daemon_set(true);
  response.clear_windows();
  *response.add_windows() = Window(kNow, absl::InfiniteDuration(), 9);
  response.mutable_windows(0)->set_running(true);
  response.mutable_windows(0)->clear_quota();
  CHECK(preview.Fits());  // what is not known denies nothing
  CHECK(PreviewText({preview}, {}, kNow) == R"(order default/nightly: OneTime, refresh OnClaim
  one ticket for each eligible node: cpu 500m, memory 1Gi, without end
  #   START                  WHEN   END     TICKETS   QUOTA     NOTE
  1   Mon 2026-05-04 14:48   now    never         9   unknown   -
  nodes: 9 of 10 are eligible, 8 are large enough; empty, they would hold 120 tickets
  free now: room for 37 tickets on 8 of 9 eligible nodes
)");
}

TEST_CASE("preview: an order that is one too many does not fit", "[preview]") {
  OrderPreview preview = Nightly();
  preview.response.mutable_windows(0)->mutable_quota()->set_order_fits(false);
  CHECK_FALSE(preview.Fits());
  CHECK_THAT(PreviewText({preview}, {}, kNow), Catch::Contains("order does not fit"));
}

TEST_CASE("preview: several orders are apart, and not added up", "[preview]") {
  CHECK_THAT(PreviewText({Nightly(), Nightly()}, {}, kNow),
             Catch::Contains("eligible nodes\n\norder default/nightly: ") &&
                 Catch::EndsWith("\neach order was judged as if it were alone\n"));
}

TEST_CASE("preview: what no quota counts is said to be so", "[preview]") {
  OrderPreview preview = Nightly();
  preview.response.mutable_windows(0)->mutable_quota()->clear_quotas();
  CHECK(preview.Fits());
  CHECK_THAT(PreviewText({preview}, {}, kNow), Catch::Contains("3   no quota   -\n"));
}

TEST_CASE("preview: as JSON", "[preview]") {
  OrderPreview preview = Nightly();
  preview.response.mutable_windows()->DeleteSubrange(1, 3);
  Deny(*preview.response.mutable_windows(0), 1);
  CHECK(PreviewText({preview}, {.format = Format::kYaml}, kNow) == R"(orders:
- namespace: default
  name: nightly
  strategy: Scheduled
  schedule: "0 20 * * *"
  timeZone: Europe/Berlin
  refreshPolicy: OnClaim
  fits: false
  windows:
  - start: "2026-05-04T18:00:00Z"
    end: "2026-05-05T02:00:00Z"
    guardiansFrom: "2026-05-04T18:00:00Z"
    tickets: 3
    skipped: false
    running: false
    quota:
      fits: false
      fittingTickets: 1
      orderFits: true
      denials:
      - quota: team-quota
        resource: reserved.cpu
        requested: "1500m"
        used: "19"
        limit: "20"
        message: "quota team-quota: reserved.cpu: requested 1500m, used 19 of 20"
      quotas:
      - team-quota
  nodes:
    all: 10
    eligible: 9
    largeEnough: 8
    ticketsWhenEmpty: 120
    ticketsFreeNow: 37
    nodesFreeNow: 8
  notes: []
)");
}

}  // namespace
}  // namespace korder::cli
