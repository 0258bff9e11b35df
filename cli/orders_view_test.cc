#include "cli/orders_view.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"
#include "cli/testing.h"

namespace korder::cli {
namespace {

api::Order Order(const std::string& name, const std::string& spec, const std::string& status,
                 const std::string& ns = "default") {
  return api::FromJson<api::Order>(
      absl::StrCat(R"({"metadata":{"name":")", name, R"(","namespace":")", ns,
                   R"(","creationTimestamp":"2026-05-04T10:48:00Z"},"spec":)", spec,
                   R"(,"status":)", status, "}"));
}

std::string Ready(const std::string& status, const std::string& reason,
                  const std::string& message) {
  return absl::StrCat(R"("conditions":[{"type":"Ready","status":")", status, R"(","reason":")",
                      reason, R"(","message":")", message, R"("}])");
}

std::vector<api::Order> Orders() {
  return {
      Order("web", R"({"replicas":3})",
            R"({"readyReplicas":3,"claimedReplicas":1,)" + Ready("True", "AllTicketsReady", "all") +
                "}"),
      Order(
          "nightly",
          R"({"replicas":2,"strategy":{"type":"Scheduled","schedule":"0 12 * * *","timeZone":"Europe/Berlin"},
                "template":{"spec":{"duration":"8h"}}})",
          R"({"readyReplicas":1,)" +
              Ready("False", "TicketsNotReady",
                    "1 of 2 tickets are Ready: default/nightly-1: Unschedulable") +
              "}"),
      Order(
          "later",
          R"({"replicas":2,"strategy":{"type":"Scheduled","schedule":"0 20 * * *","skip":["2026-05-04"]},
                "template":{"spec":{"duration":"1h"}}})",
          "{" + Ready("True", "OutsideWindow", "the next one begins") + "}"),
      Order(
          "each",
          R"({"daemonSet":true,"paused":true,"strategy":{"type":"Recurring","schedule":"0 */6 * * *"}})",
          R"({"replicas":4,"readyReplicas":4,)" + Ready("True", "AllTicketsReady", "all") + "}",
          "agents"),
      Order("new", "{}", "{}"),
      Order("bad", R"({"strategy":{"type":"Scheduled","schedule":"x"}})",
            "{" + Ready("False", "InvalidSpec", "spec.strategy.schedule: bad") + "}"),
  };
}

TEST_CASE("orders: what each wants and has, its windows, and why it is not ready", "[orders]") {
  CHECK(
      OrdersText(Orders(), {.all_namespaces = true, .now = kNow}, {}) ==
      R"(NAMESPACE   NAME      STRATEGY       DESIRED   READY   CLAIMED   WINDOW          NEXT        STATUS
agents      each      Recurring   4 (1/node)       4         0   ends in 3h12m   in 3h12m    paused
default     bad       Scheduled            1       0         0   -               -           InvalidSpec: spec.strategy.schedule: bad
default     later     Scheduled            2       0         0   -               in 1d5h     OutsideWindow
default     new       OneTime              1       0         0   -               -           order-svc has not looked at it yet
default     nightly   Scheduled            2       1         0   ends in 3h12m   in 19h12m   TicketsNotReady: 1 of 2 tickets are Ready: default/nightly-1: Unschedulable
default     web       OneTime              3       3         1   -               -           -
)");
}

TEST_CASE("orders: wide tells schedule, zone and age", "[orders]") {
  CHECK(
      OrdersText({Orders()[1]}, {.now = kNow}, {.format = Format::kWide}) ==
      R"(NAME      STRATEGY    DESIRED   READY   CLAIMED   WINDOW          NEXT        SCHEDULE     ZONE            REFRESH   NEXT-UTC               AGE   STATUS
nightly   Scheduled         2       1         0   ends in 3h12m   in 19h12m   0 12 * * *   Europe/Berlin   OnClaim   2026-05-05T10:00:00Z   4h    TicketsNotReady: 1 of 2 tickets are Ready: default/nightly-1: Unschedulable
)");
}

TEST_CASE("orders: the essence as YAML", "[orders]") {
  CHECK(OrdersText({Orders()[1]}, {.now = kNow}, {.format = Format::kYaml}) == R"(orders:
- namespace: default
  name: nightly
  strategy: Scheduled
  schedule: "0 12 * * *"
  timeZone: Europe/Berlin
  refreshPolicy: OnClaim
  paused: false
  daemonSet: false
  desired: 2
  ready: 1
  available: 0
  claimed: 0
  currentWindow:
    start: "2026-05-04T10:00:00Z"
    end: "2026-05-04T18:00:00Z"
  nextWindow:
    start: "2026-05-05T10:00:00Z"
    end: "2026-05-05T18:00:00Z"
  readyStatus: "False"
  reason: TicketsNotReady
  message: "1 of 2 tickets are Ready: default/nightly-1: Unschedulable"
)");
}

}  // namespace
}  // namespace korder::cli
