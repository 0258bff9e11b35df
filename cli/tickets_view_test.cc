#include "cli/tickets_view.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"
#include "cli/testing.h"

namespace korder::cli {
namespace {

api::Ticket Ticket(const std::string& name, const std::string& status,
                   const std::string& spec = R"({"duration":"8h"})") {
  return api::FromJson<api::Ticket>(absl::StrCat(
      R"({"metadata":{"name":")", name,
      R"(","namespace":"default","labels":{"korder.dev/order":"web"},"creationTimestamp":"2026-05-04T13:48:00Z"},"spec":)",
      spec, R"(,"status":)", status, "}"));
}

std::vector<api::Ticket> Tickets() {
  return {
      Ticket(
          "web-10",
          R"({"phase":"Ready","reason":"GuardianRunning","nodeName":"node-3","guardianPod":"default/web-10-g1",
                           "expirationTime":"2026-05-04T16:48:00Z"})"),
      Ticket(
          "web-2",
          R"({"phase":"Claimed","reason":"Claimed","nodeName":"node-1","claimedPod":"default/shop-abc",
                          "expirationTime":"2026-05-04T14:58:00Z","utilizationRate":"0.80"})"),
      Ticket("web-0",
             R"({"phase":"Pending","reason":"Unschedulable","message":"0/3 nodes are available"})",
             R"({"resources":{"requests":{"cpu":"500m","memory":"1Gi"}}})"),
      Ticket(
          "web-1",
          R"({"phase":"Expired","reason":"WindowOver","expirationTime":"2026-05-04T14:00:00Z"})"),
  };
}

TEST_CASE("tickets: where each stands, by number", "[tickets]") {
  CHECK(TicketsText(Tickets(), {.now = kNow}, {}) ==
        R"(NAME     PHASE     REASON            NODE     CLAIMED-BY   ENDS      AGE
web-0    Pending   Unschedulable     -        -            never     1h
web-1    Expired   WindowOver        -        -            48m ago   1h
web-2    Claimed   Claimed           node-1   shop-abc     in 10m    1h
web-10   Ready     GuardianRunning   node-3   -            in 2h     1h
)");
}

TEST_CASE("tickets: wide tells order, guardian, requests and message", "[tickets]") {
  CHECK(
      TicketsText({Tickets()[0], Tickets()[2]}, {.all_namespaces = true, .now = kNow},
                  {.format = Format::kWide}) ==
      R"(NAMESPACE   NAME     PHASE     REASON            NODE     CLAIMED-BY   ENDS    AGE   ORDER   GUARDIAN    REQUESTS              USED   MESSAGE
default     web-0    Pending   Unschedulable     -        -            never   1h    web     -           cpu=500m,memory=1Gi   -      0/3 nodes are available
default     web-10   Ready     GuardianRunning   node-3   -            in 2h   1h    web     web-10-g1   -                     -      -
)");
}

TEST_CASE("tickets: the essence as YAML", "[tickets]") {
  CHECK(TicketsText({Tickets()[2]}, {.now = kNow}, {.format = Format::kYaml}) == R"(tickets:
- namespace: default
  name: web-0
  order: web
  phase: Pending
  reason: Unschedulable
  message: "0/3 nodes are available"
  created: "2026-05-04T13:48:00Z"
  requests:
    cpu: "500m"
    memory: "1Gi"
)");
}

}  // namespace
}  // namespace korder::cli
