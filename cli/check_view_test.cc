#include "cli/check_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

CheckItem Item(const std::string& name, int tickets, const std::string& cpu) {
  CheckItem item{.kind = "Order", .ns = "default", .name = name};
  item.request.set_namespace_("default");
  item.request.set_tickets(tickets);
  item.request.set_order(true);
  (*item.request.mutable_claim()->mutable_requests())["cpu"] = cpu;
  (*item.request.mutable_claim()->mutable_requests())["memory"] = "1Gi";
  item.request.mutable_claim()->mutable_duration()->set_seconds(24 * 3600);
  return item;
}

CheckResult Fitting(const std::string& name, int tickets, const std::string& cpu) {
  CheckResult result{.item = Item(name, tickets, cpu)};
  result.response.set_fitting_tickets(tickets);
  result.response.set_order_fits(true);
  result.response.add_quotas("team-quota");
  return result;
}

CheckResult Denied() {
  CheckResult result{.item = Item("big", 60, "500m")};
  result.response.set_fitting_tickets(4);
  result.response.set_order_fits(true);
  result.response.add_quotas("team-quota");
  pb::Denied& denied = *result.response.add_denials();
  denied.set_quota("team-quota");
  denied.set_resource("reserved.cpu");
  denied.set_requested("30");
  denied.set_used("18");
  denied.set_limit("20");
  denied.set_message("quota team-quota: reserved.cpu: requested 30, used 18 of 20");
  SetTime(kNow + absl::Hours(2), denied.mutable_next_change_time());
  return result;
}

TEST_CASE("check: what fits says who counted it", "[check_view]") {
  const CheckReport report{.results = {Fitting("my-order", 3, "500m")}};
  CHECK(report.Fits());
  CHECK(CheckText(report, {}, kNow) ==
        R"(order default/my-order: 3 tickets of cpu 500m, memory 1Gi for 1d
  fits: all 3 tickets
  counted by: team-quota
)");
}

TEST_CASE("check: what does not fit says which limit, with the numbers and the next change",
          "[check_view]") {
  CheckReport report{.results = {Denied()}};
  report.results[0].item.notes = {"something to know"};
  CHECK_FALSE(report.Fits());
  CHECK(CheckText(report, {}, kNow) ==
        R"(order default/big: 60 tickets of cpu 500m, memory 1Gi for 1d
  does not fit: 4 of 60 tickets fit
  QUOTA        LIMIT          REQUESTED   USED   HARD   CHANGES
  team-quota   reserved.cpu          30     18     20   2026-05-04T16:48:00Z (in 2h)
  note: something to know
)");
}

TEST_CASE("check: an order that is one too many is told apart from its tickets", "[check_view]") {
  CheckReport report{.results = {Fitting("one-more", 3, "1")}};
  report.results[0].response.set_order_fits(false);
  CHECK_FALSE(report.Fits());
  CHECK_THAT(CheckText(report, {}, kNow),
             Catch::Contains("does not fit: 3 of 3 tickets fit, and the order itself does not\n"));
}

TEST_CASE("check: without any quota everything fits, and that is said", "[check_view]") {
  CheckReport report{.results = {Fitting("free", 1, "1")}};
  report.results[0].response.clear_quotas();
  CHECK_THAT(CheckText(report, {}, kNow),
             Catch::Contains("fits: the ticket\n  no quota counts it\n"));
}

TEST_CASE("check: JSON has the verdict and every number", "[check_view]") {
  CHECK(CheckText({.results = {Denied()}, .at = kNow}, {.format = Format::kJson}, kNow) == R"({
  "fits": false,
  "at": "2026-05-04T14:48:00Z",
  "objects": [
    {
      "kind": "Order",
      "namespace": "default",
      "name": "big",
      "fits": false,
      "tickets": 60,
      "fittingTickets": 4,
      "orderFits": true,
      "denials": [
        {
          "quota": "team-quota",
          "resource": "reserved.cpu",
          "requested": "30",
          "used": "18",
          "limit": "20",
          "message": "quota team-quota: reserved.cpu: requested 30, used 18 of 20",
          "nextChangeTime": "2026-05-04T16:48:00Z"
        }
      ],
      "quotas": [
        "team-quota"
      ]
    }
  ]
}
)");
}

TEST_CASE("check: objects that fit one by one may not fit together", "[check_view]") {
  const pb::QueryResponse usage = Response({TeamQuota()});  // 2 cpu and 7 orders are left
  const std::vector<CheckResult> two = {Fitting("a", 2, "500m"), Fitting("b", 1, "1001m")};
  const auto denials = TogetherDenials(two, usage);
  REQUIRE(denials.size() == 1);
  CHECK(denials[0].message() == "quota team-quota: reserved.cpu: requested 2001m, used 18 of 20");
  const CheckReport report{.results = two, .together = denials};
  CHECK_FALSE(report.Fits());
  CHECK_THAT(CheckText(report, {}, kNow),
             Catch::Contains("together: does not fit: 2 objects ask for more than is left\n"
                             "  QUOTA        LIMIT          REQUESTED   USED   HARD   CHANGES\n"
                             "  team-quota   reserved.cpu       2001m     18     20   -\n"));

  CHECK(TogetherDenials({Fitting("a", 2, "500m"), Fitting("b", 1, "1")}, usage).empty());
  CHECK(TogetherDenials({Fitting("a", 99, "1")}, usage).empty());  // that is the server's answer
  std::vector<CheckResult> uncounted = two;
  uncounted[1].response.clear_quotas();
  CHECK(TogetherDenials(uncounted, usage).empty());
}

TEST_CASE("check: the cap of a namespace counts what is in that namespace", "[check_view]") {
  pb::QuotaUsage quota = TeamQuota();
  pb::QuotaUsage::Allocation& allocation = *quota.add_allocations();
  allocation.set_namespace_("default");
  AddEntry(allocation.mutable_entries(), "tickets", "1", "3", "2");
  std::vector<CheckResult> two = {Fitting("a", 2, "1m"), Fitting("b", 1, "1m")};
  const auto denials = TogetherDenials(two, Response({quota}));
  REQUIRE(denials.size() == 1);
  CHECK(denials[0].quota() == "team-quota, namespace default");
  CHECK(denials[0].requested() == "3");
  two[1].item.ns = "elsewhere";
  CHECK(TogetherDenials(two, Response({quota})).empty());
}

}  // namespace
}  // namespace korder::cli
