#include "order-svc/planner.h"

#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/testing/from_json.h"

namespace korder::order {
namespace {

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string problem;
  INFO(text << ": " << problem);
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &problem));
  return time;
}

// A Monday.
const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 5, 4, 14, 48, 0), absl::UTCTimeZone());

api::Order MakeOrder(const std::string& strategy, const std::string& more = "",
                     const std::string& ticket = R"("duration":"8h",)") {
  return api::FromJson<api::Order>(
      absl::StrCat(R"({"metadata":{"name":"nightly","namespace":"default"},"spec":{"replicas":3,)",
                   more, R"("strategy":)", strategy, R"(,"template":{"spec":{)", ticket,
                   R"("resources":{"requests":{"cpu":"500m","memory":"1Gi"}}}}}})"));
}

NodePtr MakeNode(const std::string& name, const std::string& cpu = "4",
                 const std::string& spec = "{}") {
  return std::make_shared<const api::Node>(api::FromJson<api::Node>(absl::StrCat(
      R"({"metadata":{"name":")", name, R"(","labels":{"os":"linux"}},"spec":)", spec,
      R"(,"status":{"allocatable":{"cpu":")", cpu, R"(","memory":"64Gi","pods":"110"}}})")));
}

constexpr char kGpuTaint[] = R"({"taints":[{"key":"gpu","effect":"NoSchedule"}]})";

// "05-04T18:00 to 05-05T02:00 x3", with what is special about it.
std::string Text(const PlannedWindow& planned) {
  const auto time = [](absl::Time t) {
    return t == absl::InfiniteFuture() ? std::string("ever")
                                       : absl::FormatTime("%m-%dT%H:%M", t, absl::UTCTimeZone());
  };
  return absl::StrCat(time(planned.window.start), " to ", time(planned.window.end), " x",
                      planned.tickets, planned.skipped ? " skipped" : "",
                      planned.running ? " running" : "");
}

std::string Text(const std::vector<PlannedWindow>& windows) {
  return absl::StrJoin(
      windows, "\n", [](std::string* out, const PlannedWindow& planned) { *out += Text(planned); });
}

OrderPreview Preview(const api::Order& order, PreviewQuestion question = {.now = kNow}) {
  const auto preview = PreviewOrder(order, {MakeNode("a"), MakeNode("b")}, question);
  INFO(ToString(preview.status()));
  REQUIRE(preview.ok());
  return *preview;
}

TEST_CASE("planner: windows of a schedule, in its zone, with what is left out", "[planner]") {
  const OrderPreview preview =
      Preview(MakeOrder(R"({"type":"Scheduled","schedule":"0 8,20 * * *","timeZone":"Europe/Berlin",
                    "leadTime":"10m","skip":["2026-05-05","2026-05-06T06:00:00Z"]})"));
  CHECK(Text(preview.windows) == R"(05-04T18:00 to 05-05T02:00 x3
05-05T06:00 to 05-05T14:00 x3 skipped
05-05T18:00 to 05-06T02:00 x3 skipped
05-06T06:00 to 05-06T14:00 x3 skipped
05-06T18:00 to 05-07T02:00 x3)");
  CHECK(preview.zone.name() == "Europe/Berlin");
  CHECK(preview.windows[0].prepared == At("2026-05-04T17:50:00Z"));
  CHECK(preview.notes.empty());
}

TEST_CASE("planner: the window that runs comes first, and what is due already is made now",
          "[planner]") {
  const OrderPreview running = Preview(MakeOrder(R"({"type":"Scheduled","schedule":"0 12 * * *"})"),
                                       {.now = kNow, .windows = 2});
  CHECK(Text(running.windows) ==
        "05-04T12:00 to 05-04T20:00 x3 running\n"
        "05-05T12:00 to 05-05T20:00 x3");
  const OrderPreview soon =
      Preview(MakeOrder(R"({"type":"Scheduled","schedule":"0 15 * * *","leadTime":"1h"})"),
              {.now = kNow, .windows = 1});
  CHECK(soon.windows[0].prepared == kNow);
}

TEST_CASE("planner: a new order leaves out a window that began longer ago than startingDeadline",
          "[planner]") {
  const api::Order order =
      MakeOrder(R"({"type":"Scheduled","schedule":"0 12 * * *","startingDeadline":"30m"})");
  const OrderPreview fresh = Preview(order, {.now = kNow, .windows = 1});
  CHECK(Text(fresh.windows) == "05-04T12:00 to 05-04T20:00 x3 skipped running");
  CHECK_THAT(fresh.notes.at(0), Catch::Contains("startingDeadline (30m0s)"));
  const OrderPreview known = Preview(order, {.now = kNow, .windows = 1, .exists = true});
  CHECK(Text(known.windows) == "05-04T12:00 to 05-04T20:00 x3 running");
  CHECK_THAT(known.notes.at(0), Catch::StartsWith("there is an order nightly already"));
}

TEST_CASE("planner: other times than now can be asked for", "[planner]") {
  const api::Order order = MakeOrder(R"({"type":"Scheduled","schedule":"0 0 1 1 *"})");
  const OrderPreview later =
      Preview(order, {.now = kNow, .from = At("2030-01-01T07:59:59Z"), .windows = 2});
  REQUIRE(later.windows.size() == 2);
  CHECK(later.windows[0].window.start == At("2030-01-01T00:00:00Z"));
  CHECK(later.windows[1].window.start == At("2031-01-01T00:00:00Z"));
  CHECK_FALSE(later.windows[0].running);
}

TEST_CASE("planner: a recurring order's windows follow each other", "[planner]") {
  const OrderPreview preview = Preview(
      MakeOrder(R"({"type":"Recurring","schedule":"0 */6 * * *"})"), {.now = kNow, .windows = 2});
  CHECK(Text(preview.windows) ==
        "05-04T12:00 to 05-04T18:00 x3 running\n"
        "05-04T18:00 to 05-05T00:00 x3");
}

TEST_CASE("planner: a one-time order has one window, from now or its startTime", "[planner]") {
  CHECK(Text(Preview(MakeOrder(R"({"type":"OneTime"})")).windows) ==
        "05-04T14:48 to 05-04T22:48 x3 running");
  CHECK(Text(Preview(MakeOrder(R"({})", "", "")).windows) == "05-04T14:48 to ever x3 running");
  CHECK(Text(Preview(MakeOrder("{}", "", R"("startTime":"2026-05-05T00:00:00Z","duration":"1h",)"))
                 .windows) == "05-05T00:00 to 05-05T01:00 x3");
  // What is past is made up for at once.
  CHECK(Text(Preview(MakeOrder("{}", "", R"("startTime":"2026-05-01T00:00:00Z","duration":"1h",)"))
                 .windows) == "05-04T14:48 to 05-04T15:48 x3 running");
  const OrderPreview always = Preview(MakeOrder(R"({"refreshPolicy":"Always"})"));
  CHECK(Text(always.windows) == "05-04T14:48 to ever x3 running");
  CHECK_THAT(always.notes.at(0), Catch::Contains("a ticket that ends after 8h0m0s is replaced"));
  const OrderPreview over = Preview(MakeOrder("{}"), {.now = kNow, .from = kNow + absl::Hours(9)});
  CHECK(over.windows.empty());
  CHECK(over.notes == std::vector<std::string>{"its window is over by then"});
}

TEST_CASE("planner: everything that is wrong with an order is told at once", "[planner]") {
  const auto bad =
      PreviewOrder(MakeOrder(R"({"type":"Scheduled","schedule":"61 * * * *","skip":["soon"]})",
                             R"("minReadySeconds":-1,)"),
                   {}, {.now = kNow});
  CHECK(absl::IsInvalidArgument(bad.status()));
  CHECK_THAT(std::string(Message(bad.status())),
             Catch::Contains("spec.strategy.schedule: \"61 * * * *\": minute must be 0-59") &&
                 Catch::Contains("spec.strategy.skip[0]: \"soon\"") &&
                 Catch::Contains("spec.minReadySeconds: \"-1\""));
}

TEST_CASE("planner: what people should know", "[planner]") {
  const OrderPreview paused = Preview(MakeOrder("{}", R"("paused":true,)"));
  CHECK_THAT(paused.notes.at(0), Catch::StartsWith("the order is paused"));
  const OrderPreview skipped =
      Preview(MakeOrder(R"({"type":"Scheduled","schedule":"0 18 * * *","skip":["2026-05-04"]})"),
              {.now = kNow, .windows = 1});
  CHECK(skipped.notes == std::vector<std::string>{"every window shown is skipped"});
  const OrderPreview nowhere = Preview(MakeOrder("{}", "", R"("nodeSelector":{"os":"plan9"},)"));
  CHECK(nowhere.notes.back() == "no node suits the tickets: they would wait for one");
  const OrderPreview spread = Preview(MakeOrder(
      "{}", "",
      R"("topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}],)"));
  CHECK_THAT(spread.notes.back(), Catch::Contains("without affinity to pods"));
}

TEST_CASE("planner: nodes are counted by eligibility, size, and what they hold", "[planner]") {
  const std::vector<NodePtr> nodes = {MakeNode("a"), MakeNode("small", "400m"),
                                      MakeNode("gpu", "8", kGpuTaint),
                                      MakeNode("cordoned", "4", R"({"unschedulable":true})")};
  const api::Order plain = MakeOrder("{}");
  CHECK(FitOnNodes(plain.spec, nodes) ==
        NodeFit{.nodes = 4, .eligible = 2, .large_enough = 1, .tickets = 8});
  // A DaemonSet's pods go on cordoned nodes, too, and one on each.
  const api::Order daemon = MakeOrder("{}", R"("daemonSet":true,)");
  CHECK(FitOnNodes(daemon.spec, nodes) ==
        NodeFit{.nodes = 4, .eligible = 3, .large_enough = 2, .tickets = 2});
  const auto preview = PreviewOrder(daemon, nodes, {.now = kNow});
  REQUIRE(preview.ok());
  CHECK(preview->windows.at(0).tickets == 3);
  CHECK(PreviewOrder(daemon, {}, {.now = kNow})->notes.back() ==
        "no node is eligible: there would be no ticket");
  CHECK(FitOnNodes(plain.spec, {}) == NodeFit{});
}

// --- calendar ---

OrderPtr Stored(const std::string& ns, const std::string& name, api::Order order) {
  order.metadata.ns = ns;
  order.metadata.name = name;
  order.metadata.creation_timestamp = kNow - absl::Hours(1);
  return std::make_shared<const api::Order>(std::move(order));
}

std::string Text(const OrderCalendar& calendar) {
  return absl::StrJoin(calendar.entries, "\n", [](std::string* out, const CalendarEntry& e) {
    *out += absl::StrCat(e.ns, "/", e.order, " ",
                         Text(PlannedWindow{.window = e.window,
                                            .prepared = {},
                                            .tickets = e.tickets,
                                            .skipped = e.skipped,
                                            .running = e.running}),
                         e.paused ? " paused" : "");
  });
}

const api::Order& Daily() {
  static const api::Order order =
      MakeOrder(R"({"type":"Scheduled","schedule":"0 12 * * *","skip":["2026-05-05"]})");
  return order;
}

CalendarQuestion Days(int days) {
  return {.now = kNow, .from = kNow, .to = kNow + days * absl::Hours(24)};
}

TEST_CASE("calendar: the windows of all orders in the order of their start", "[planner]") {
  api::Order paused =
      MakeOrder(R"({"type":"Scheduled","schedule":"0 13 * * *"})", R"("paused":true,)");
  api::Order deleting = Daily();
  deleting.metadata.deletion_timestamp = kNow;
  api::Order daemon =
      MakeOrder(R"({"type":"Recurring","schedule":"0 0 * * *"})", R"("daemonSet":true,)");
  const std::vector<OrderPtr> orders = {
      Stored("b", "once", MakeOrder("{}")), Stored("b", "paused", paused),
      Stored("a", "daily", Daily()), Stored("a", "deleting", deleting),
      Stored("a", "daemon", daemon)};
  const std::vector<NodePtr> nodes = {MakeNode("x"), MakeNode("y")};
  CHECK(Text(PlanCalendar(orders, nodes, Days(1))) ==
        R"(a/daemon 05-04T00:00 to 05-05T00:00 x2 running
a/daily 05-04T12:00 to 05-04T20:00 x3 running
b/paused 05-04T13:00 to 05-04T21:00 x3 running paused
b/once 05-04T13:48 to 05-04T21:48 x3 running
a/daemon 05-05T00:00 to 05-06T00:00 x2
a/daily 05-05T12:00 to 05-05T20:00 x3 skipped
b/paused 05-05T13:00 to 05-05T21:00 x3 paused)");

  CalendarQuestion one = Days(1);
  one.ns = "a";
  one.order = "daily";
  CHECK(Text(PlanCalendar(orders, nodes, one)) == R"(a/daily 05-04T12:00 to 05-04T20:00 x3 running
a/daily 05-05T12:00 to 05-05T20:00 x3 skipped)");
}

TEST_CASE("calendar: an order that cannot be read is told, and the rest is there", "[planner]") {
  const OrderCalendar calendar = PlanCalendar(
      {Stored("a", "bad",
              MakeOrder(R"({"type":"Scheduled","schedule":"0 0 * * *"})", R"("replicas":-1,)")),
       Stored("a", "daily", Daily())},
      {}, Days(1));
  CHECK(calendar.entries.size() == 2);
  REQUIRE(calendar.notes.size() == 1);
  CHECK_THAT(calendar.notes[0], Catch::StartsWith("order a/bad is left out: "));
}

TEST_CASE("calendar: the limit keeps the earliest of all, and says that there are more",
          "[planner]") {
  std::mt19937 random(7);
  std::vector<OrderPtr> orders;
  for (int i = 0; i < 40; ++i) {
    const int minute = static_cast<int>(random() % 60);
    orders.push_back(Stored(
        "a", absl::StrCat("o", i),
        MakeOrder(absl::StrCat(R"({"type":"Scheduled","schedule":")", minute, R"( * * * *"})"), "",
                  R"("duration":"10m",)")));
  }
  CalendarQuestion question = Days(2);
  question.limit = 10'000;
  const OrderCalendar all = PlanCalendar(orders, {}, question);
  CHECK_FALSE(all.truncated);
  REQUIRE(all.entries.size() >= 40 * 48);
  for (const size_t limit : {size_t{1}, size_t{7}, size_t{100}, all.entries.size() - 1}) {
    question.limit = limit;
    const OrderCalendar some = PlanCalendar(orders, {}, question);
    CHECK(some.truncated);
    CHECK(some.entries ==
          std::vector(all.entries.begin(), all.entries.begin() + static_cast<ptrdiff_t>(limit)));
  }
  question.limit = all.entries.size();
  CHECK_FALSE(PlanCalendar(orders, {}, question).truncated);
}

}  // namespace
}  // namespace korder::order
