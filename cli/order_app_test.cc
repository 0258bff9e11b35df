// The commands about orders and tickets as a whole.
#include <atomic>

#include <catch2/catch.hpp>

#include "absl/strings/substitute.h"
#include "api/core/node.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "cli/testing_cluster.h"

namespace korder::cli {
namespace {

constexpr char kNightly[] =
    R"({"replicas":2,"strategy":{"type":"Scheduled","schedule":"0 18 * * *"},"template":{"spec":{"duration":"8h"}}})";

constexpr char kFile[] = R"(
apiVersion: core.korder.dev/v1alpha1
kind: Order
metadata: {name: nightly}
spec:
  replicas: 2
  strategy: {type: Scheduled, schedule: "0 18 * * *"}
  template: {spec: {duration: 8h, resources: {requests: {cpu: 1}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: core.korder.dev/v1alpha1
kind: Ticket
metadata: {name: alone}
spec: {resources: {requests: {cpu: 1}}}
)";

TEST_CASE("korderctl preview: the order of the file is asked about, in its namespace, as the user",
          "[app]") {
  Cluster cluster;
  order_pb::PreviewWindow& window = *cluster.planner.preview.add_windows();
  SetTime(kNow + absl::Hours(3), window.mutable_start());
  window.set_tickets(2);
  window.mutable_quota()->set_fitting_tickets(2);
  window.mutable_quota()->set_order_fits(true);
  window.mutable_quota()->add_quotas("team-quota");
  const Outcome fits =
      cluster.Run({"preview", "-f", "-", "--windows", "7", "--from", "+1h"}, kFile);
  INFO(fits.err);
  CHECK(fits.code == 0);
  CHECK(fits.err ==
        "passed over: ConfigMap settings\n"
        "passed over: Ticket alone (only Orders have windows to come)\n");
  CHECK_THAT(fits.out, Catch::Contains("order team/nightly: ") && Catch::Contains("fits"));
  CHECK_THAT(fits.out, Catch::Contains("free now: room for 0 tickets on 0 of 0 eligible nodes\n"));
  const order_pb::PreviewRequest& asked = cluster.planner.asked_preview;
  CHECK(asked.namespace_() == "team");
  CHECK(asked.windows() == 7);
  CHECK(asked.from().seconds() == absl::ToUnixSeconds(kNow + absl::Hours(1)));
  CHECK(api::FromJson<api::Order>(asked.order_json()).spec.strategy.schedule == "0 18 * * *");
  CHECK(cluster.planner.token == "Bearer mine");
  CHECK(cluster.planner.ns == "team");

  window.mutable_quota()->set_fitting_tickets(1);
  CHECK(cluster.Run({"preview", "-f", "-"}, kFile).code == 3);
}

TEST_CASE("korderctl preview: what is free is counted where the user may look", "[app]") {
  Cluster cluster;
  REQUIRE(
      cluster.client
          .Create(api::FromJson<api::Node>(
              R"({"metadata":{"name":"n1"},"status":{"allocatable":{"cpu":"4","pods":"110"}}})"))
          .ok());
  cluster.planner.preview.mutable_nodes()->set_nodes(1);
  CHECK_THAT(cluster.Run({"preview", "-f", "-"}, kFile).out,
             Catch::Contains("  free now: room for 4 tickets on 1 of 1 eligible node\n"));
  cluster.api.FailNext("list", "pods", 403);
  const Outcome hidden = cluster.Run({"preview", "-f", "-"}, kFile);
  CHECK(hidden.code == 0);
  CHECK_THAT(hidden.out,
             Catch::Contains("free now: not known: you may not list nodes and the pods of all"));
}

TEST_CASE("korderctl preview: what cannot be done is told", "[app]") {
  Cluster cluster;
  cluster.planner.answer = {grpc::StatusCode::PERMISSION_DENIED,
                            "jane may not list orders.core.korder.dev in namespace team"};
  const Outcome denied = cluster.Run({"preview", "-f", "-"}, kFile);
  CHECK(denied.code == 4);
  CHECK(denied.err.find("ask for `list orders.core.korder.dev in namespace team`") !=
        std::string::npos);
  cluster.planner.answer = {grpc::StatusCode::INVALID_ARGUMENT, "spec.x: bad"};
  const Outcome bad = cluster.Run({"preview", "-f", "-"}, kFile);
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, Catch::Contains("error: spec.x: bad\n"));
  CHECK(cluster.Run({"preview", "-f", "-", "--windows", "101"}, kFile).code == 1);
  CHECK(cluster.Run({"preview", "-f", "-", "--from", "noon"}, kFile).err.find("--from: ") !=
        std::string::npos);
  CHECK(cluster.Run({"preview", "-f", "/no/file"}).code == 1);
}

TEST_CASE("korderctl calendar: from now for a week, of the context's namespace, or as asked",
          "[app]") {
  Cluster cluster;
  order_pb::CalendarWindow& window = *cluster.planner.calendar.add_windows();
  window.set_namespace_("team");
  window.set_order("nightly");
  SetTime(kNow, window.mutable_start());
  SetTime(kNow + absl::Hours(30), window.mutable_end());
  const Outcome week = cluster.Run({"calendar"});
  INFO(week.err);
  CHECK(week.code == 0);
  CHECK_THAT(week.out, Catch::Contains("team/nightly") && Catch::Contains("(times in UTC)"));
  const order_pb::CalendarRequest& asked = cluster.planner.asked_calendar;
  CHECK(asked.namespace_() == "team");
  CHECK(cluster.planner.ns == "team");
  CHECK(asked.from().seconds() == absl::ToUnixSeconds(kNow));
  CHECK(asked.to().seconds() - asked.from().seconds() == 7 * 86'400);

  cluster.planner.calendar.set_truncated(true);
  cluster.planner.calendar.add_notes("order team/bad is left out: x");
  const Outcome all =
      cluster.Run({"calendar", "-A", "--from", "2026-06-01", "--to", "+60d", "--limit", "1"});
  CHECK(asked.namespace_().empty());
  CHECK(cluster.planner.ns.empty());
  CHECK(asked.from().seconds() ==
        absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone())));
  CHECK(asked.limit() == 1);
  CHECK(all.err ==
        "note: order team/bad is left out: x\n"
        "note: there are more windows; these are the first 1 (see --limit, --to)\n");

  const Outcome ics = cluster.Run({"calendar", "nightly", "-o", "ics"});
  CHECK_THAT(ics.out, Catch::StartsWith("BEGIN:VCALENDAR\r\n"));
  CHECK(asked.order() == "nightly");
  CHECK(cluster.Run({"calendar", "--from", "+2h", "--to", "+1h"}).code == 1);
}

TEST_CASE("korderctl: ics is for the calendar only", "[app]") {
  Cluster cluster;
  const Outcome orders = cluster.Run({"orders", "-o", "ics"});
  CHECK(orders.code == 1);
  CHECK(orders.err == "error: --output: ics is for `calendar` only\n");
}

TEST_CASE("korderctl skip-next: one window after the other, and back", "[app]") {
  Cluster cluster;
  cluster.AddOrder("nightly", kNightly);
  const Outcome one = cluster.Run({"skip-next", "nightly"});
  INFO(one.err);
  CHECK(one.code == 0);
  CHECK(one.out == R"(order team/nightly: skips the window of 2026-05-04T18:00:00Z (in 3h12m)
  next window: 2026-05-05T18:00:00Z (in 1d3h)
)");
  CHECK(cluster.Run({"skip-next", "nightly"}).code == 0);
  CHECK(cluster.Spec("nightly").strategy.skip ==
        std::vector<std::string>{"2026-05-04T18:00:00Z", "2026-05-05T18:00:00Z"});
  const Outcome dry = cluster.Run({"skip-next", "nightly", "--dry-run"});
  CHECK_THAT(dry.out, Catch::StartsWith("order team/nightly: would skip the window of 2026-05-06"));
  CHECK(cluster.Spec("nightly").strategy.skip.size() == 2);
  CHECK(cluster.Run({"skip-next", "nightly", "--undo"}).out ==
        R"(order team/nightly: no longer skips the window of 2026-05-04T18:00:00Z (in 3h12m)
  next window: 2026-05-04T18:00:00Z (in 3h12m)
)");
  CHECK(cluster.Run({"skip-next", "nightly", "--undo", "-o", "json"}).code == 0);
  CHECK(cluster.Spec("nightly").strategy.skip.empty());
  // The rest of the order is as it was.
  CHECK(cluster.Spec("nightly").strategy.schedule == "0 18 * * *");
  CHECK(cluster.Spec("nightly").replicas == 2);
}

TEST_CASE("korderctl skip-next: past entries go; a write of somebody else is not lost", "[app]") {
  Cluster cluster;
  cluster.AddOrder(
      "nightly",
      R"({"strategy":{"type":"Scheduled","schedule":"0 18 * * *","timeZone":"Europe/Berlin",
                       "skip":["2026-01-01"]},"template":{"spec":{"duration":"8h"}}})");
  // Between the reading and the writing, once.
  std::atomic<int> writes = 0;
  cluster.api.OnWrite(
      {.before =
           [&](const kube::ServedCall& call) {
             if (call.verb == "patch" && writes++ == 0) {
               REQUIRE(cluster.client
                           .Patch<api::Order>({"team", "nightly"}, {},
                                              R"({"spec":{"strategy":{"skip":["2026-05-06"]}}})")
                           .ok());
             }
           },
       .after = {}});
  const Outcome skip = cluster.Run({"skip-next", "nightly"});
  INFO(skip.err);
  CHECK(skip.code == 0);
  CHECK_THAT(
      skip.out,
      Catch::Contains("2026-05-04T16:00:00Z (in 1h12m), Mon 2026-05-04 18:00 in Europe/Berlin"));
  CHECK(cluster.Spec("nightly").strategy.skip ==
        std::vector<std::string>{"2026-05-06", "2026-05-04T16:00:00Z"});
}

TEST_CASE("korderctl skip-next: what cannot be skipped is said", "[app]") {
  Cluster cluster;
  cluster.AddOrder("once", "{}");
  const Outcome once = cluster.Run({"skip-next", "once"});
  CHECK(once.code == 1);
  CHECK_THAT(once.err, Catch::StartsWith("error: order team/once: its strategy is OneTime"));
  const Outcome none = cluster.Run({"skip-next", "nope", "-n", "other"});
  CHECK(none.code == 5);
  CHECK_THAT(none.err, Catch::StartsWith("error: there is no order nope in namespace other"));
  cluster.AddOrder("nightly", kNightly);
  cluster.api.FailNext("patch", "orders", 403);
  CHECK(cluster.Run({"skip-next", "nightly"}).code == 4);
}

TEST_CASE("korderctl pause and resume: each says what it did, and what was so already", "[app]") {
  Cluster cluster;
  cluster.AddOrder("a", "{}");
  cluster.AddOrder("b", R"({"paused":true})");
  const Outcome pause = cluster.Run({"pause", "a", "nope", "b"});
  CHECK(pause.code == 5);
  CHECK(pause.out == "order team/a: paused\norder team/b: was paused already\n");
  CHECK_THAT(pause.err, Catch::StartsWith("error: there is no order nope in namespace team"));
  CHECK(cluster.Spec("a").paused);
  const Outcome resume = cluster.Run({"resume", "a", "a"});
  CHECK(resume.code == 0);
  CHECK(resume.out == "order team/a: resumed\norder team/a: was not paused\n");
  CHECK_FALSE(cluster.Spec("a").paused);
}

TEST_CASE("korderctl orders and tickets: lists, and what is not there", "[app]") {
  Cluster cluster;
  CHECK(cluster.Run({"orders"}).err == "no orders in namespace team\n");
  CHECK(cluster.Run({"tickets", "-A"}).err == "no tickets in any namespace\n");
  cluster.AddOrder("nightly", kNightly);
  CHECK(cluster.Run({"tickets", "nightly"}).err == "no tickets of order team/nightly\n");
  CHECK(cluster.Run({"tickets", "nope"}).code == 5);
  CHECK(cluster.Run({"tickets", "nope", "-A"}).code == 1);
  CHECK_THAT(cluster.Run({"orders", "-A"}).out, Catch::StartsWith("NAMESPACE   NAME"));
  for (const std::string order : {"nightly", "other"}) {
    REQUIRE(
        cluster.client
            .Create(api::FromJson<api::Ticket>(absl::Substitute(
                R"({"metadata":{"name":"$0-0","namespace":"team","labels":{"korder.dev/order":"$0"}}})",
                order)))
            .ok());
  }
  const Outcome tickets = cluster.Run({"tickets", "nightly"});
  CHECK_THAT(tickets.out, Catch::Contains("nightly-0") && !Catch::Contains("other-0"));
  CHECK_THAT(cluster.Run({"tickets", "-o", "json"}).out, Catch::Contains("\"name\": \"other-0\""));
  CHECK(cluster.Run({"tickets", "-o", "json", "-n", "empty"}).out == "{\n  \"tickets\": []\n}\n");
}

TEST_CASE("korderctl: completion knows the commands about orders", "[app]") {
  Shell shell;
  CHECK(shell.Run({"__complete", "p"}).out == "pause\npreview\n");
  CHECK(shell.Run({"__complete", "calendar", "-o", "i"}).out == "ics\n");
  CHECK(shell.Run({"__complete", "orders", "-o", "i"}).out.empty());
  CHECK(shell.Run({"__complete", "skip-next", "--u"}).out == "--undo\n");
}

}  // namespace
}  // namespace korder::cli
