#include "quota-svc/quota_decide.h"

#include <catch2/catch.hpp>

#include "api/v1alpha1/reasons.h"
#include "quota-svc/quota_book.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;
using testing::MakeQuota;

// The quota as the ledger sees it with these tickets charged.
ObservedQuota Observe(const api::Quota& quota, const std::vector<Claim>& charged = {}) {
  QuotaBook book;
  book.PutNamespace("default", {});
  book.PutQuota(Compile(quota), kNow);
  int id = 0;
  for (const Claim& claim : charged) {
    book.Put(std::to_string(id++), std::make_shared<const Claim>(claim));
  }
  return {.quota = quota,
          .usage = *book.Usage(quota.metadata.name),
          .older_cluster_quota = "",
          .closed_until = {}};
}

std::string ConditionText(const api::QuotaStatus& status, std::string_view type) {
  const api::Condition* condition = api::FindCondition(status.conditions, type);
  if (condition == nullptr) {
    return "none";
  }
  const char* const holds = condition->status == api::ConditionStatus::kTrue ? "True " : "False ";
  return holds + condition->reason + ": " + condition->message;
}

TEST_CASE("quota decide: the status shows limits, use and what is left", "[quota][decide]") {
  const api::Quota quota = MakeQuota("team-quota")
                               .Hard("orders", "10")
                               .Hard("tickets", "50")
                               .Hard("reserved.cpu", "20")
                               .Hard("reserved.memory", "40Gi")
                               .Hard("max-duration", "24h")
                               .Cap("default", "tickets", "5");
  const QuotaPlan plan =
      DecideQuota(Observe(quota, {MakeClaim().With("cpu", "500m").With("memory", "1Gi"),
                                  MakeClaim().With("cpu", "6").With("memory", "11Gi"),
                                  MakeOrderClaim("default", {})}),
                  kNow);
  REQUIRE(plan.status);
  const api::QuotaStatus& status = *plan.status;
  CHECK(status.hard == api::QuotaAmounts{{"max-duration", "24h"},
                                         {"orders", "10"},
                                         {"reserved.cpu", "20"},
                                         {"reserved.memory", "40Gi"},
                                         {"tickets", "50"}});
  CHECK(status.used == api::QuotaAmounts{{"orders", "1"},
                                         {"reserved.cpu", "6500m"},
                                         {"reserved.memory", "12Gi"},
                                         {"tickets", "2"}});
  CHECK(status.available == api::QuotaAmounts{{"orders", "9"},
                                              {"reserved.cpu", "13500m"},
                                              {"reserved.memory", "28Gi"},
                                              {"tickets", "48"}});
  CHECK(status.summary ==
        api::QuotaSummary{
            .orders = "1/10", .tickets = "2/50", .cpu = "6500m/20", .memory = "12Gi/40Gi"});
  CHECK(status.allocations ==
        std::vector<api::QuotaAllocationStatus>{
            {.ns = "default", .hard = {{"tickets", "5"}}, .used = {{"tickets", "2"}}}});
  CHECK(status.observed_generation == 1);
  CHECK(ConditionText(status, "Ready") == "True Accepted: the quota is in force");
  CHECK(ConditionText(status, "Enforced") == "True InForce: all limits are enforced");
  CHECK(ConditionText(status, "Exceeded") == "False WithinLimit: use is within every limit");
  CHECK(plan.events.empty());
}

TEST_CASE("quota decide: limits that are not set have no summary", "[quota][decide]") {
  const QuotaPlan plan = DecideQuota(Observe(MakeQuota("q").Hard("tickets", "3")), kNow);
  CHECK(plan.status->summary ==
        api::QuotaSummary{.orders = "", .tickets = "0/3", .cpu = "", .memory = ""});
}

TEST_CASE("quota decide: deciding on the status it made writes nothing", "[quota][decide]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "3").Hard("reserved.cpu", "bad");
  ObservedQuota observed = Observe(quota, {MakeClaim()});
  observed.quota.status = *DecideQuota(observed, kNow).status;
  const QuotaPlan again = DecideQuota(observed, kNow + absl::Hours(1));
  CHECK_FALSE(again.status);
  CHECK(again.events.empty());
}

TEST_CASE("quota decide: lowered limits are exceeded until use drops", "[quota][decide]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "1").Hard("reserved.cpu", "9").Cap("default", "reserved.cpu", "1");
  const std::vector<Claim> two = {MakeClaim().With("cpu", "1"), MakeClaim().With("cpu", "1")};
  ObservedQuota observed = Observe(quota, two);
  const QuotaPlan over = DecideQuota(observed, kNow);
  const std::string message =
      "tickets: used 2 of 1; namespace default: reserved.cpu: used 2 of 1; nothing is revoked, "
      "nothing new is granted";
  CHECK(ConditionText(*over.status, "Exceeded") == "True OverLimit: " + message);
  CHECK(over.status->available.at("tickets") == "0");
  CHECK(over.events == std::vector<QuotaEvent>{{true, "QuotaExceeded", message}});

  observed = Observe(quota, {two[0]});
  observed.quota.status = *over.status;
  const QuotaPlan back = DecideQuota(observed, kNow);
  CHECK(back.events ==
        std::vector<QuotaEvent>{{false, "QuotaRecovered", "use is within every limit"}});
}

TEST_CASE("quota decide: the status shows the open window, and its change is an event",
          "[quota][decide]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "4")
      .quota()
      .spec.time_windows.push_back(
          {.name = "night", .multiplier = {"2"}, .schedule = "0 22 * * *"});
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 11, 23, 12), absl::UTCTimeZone());
  const absl::Time ten = noon + absl::Hours(10);
  QuotaBook book;
  book.PutQuota(Compile(quota), noon);
  ObservedQuota observed{
      .quota = quota, .usage = *book.Usage("q"), .older_cluster_quota = "", .closed_until = {}};
  const QuotaPlan day = DecideQuota(observed, noon);
  CHECK(day.status->hard.at("tickets") == "4");
  CHECK(day.status->active_time_window.empty());
  CHECK(day.status->next_transition_time == ten);
  CHECK(day.requeue_after == absl::Hours(10));
  CHECK(day.events.empty());

  book.Advance(ten);
  observed.usage = *book.Usage("q");
  observed.quota.status = *day.status;
  const QuotaPlan night = DecideQuota(observed, ten);
  CHECK(night.status->hard.at("tickets") == "8");
  CHECK(night.status->active_time_window == "night");
  CHECK(night.events ==
        std::vector<QuotaEvent>{
            {false, "WindowChanged", "time window night is open; in force: tickets 8"}});
}

TEST_CASE("quota decide: a quota that slipped past admission says what is wrong",
          "[quota][decide]") {
  const QuotaPlan plan = DecideQuota(Observe(MakeQuota("q").Hard("pods", "1")), kNow);
  const std::string message =
      "spec.hard[pods]: \"1\": is unknown; known are orders, tickets, reserved.<resource> and "
      "max-duration; the rest is enforced";
  CHECK(ConditionText(*plan.status, "Enforced") == "False InvalidSpec: " + message);
  CHECK(plan.events == std::vector<QuotaEvent>{{true, "InvalidSpec", message}});
}

TEST_CASE("quota decide: a second quota of type Cluster is named as such", "[quota][decide]") {
  ObservedQuota observed = Observe(MakeQuota("q").Hard("tickets", "1"));
  observed.older_cluster_quota = "first";
  CHECK(ConditionText(*DecideQuota(observed, kNow).status, "Ready") ==
        "False Conflict: there is a quota of type Cluster already: first; both are enforced");
}

TEST_CASE("quota decide: while the ledger is rebuilt the quota is not ready", "[quota][decide]") {
  ObservedQuota observed = Observe(MakeQuota("q").Hard("tickets", "1"));
  observed.closed_until = kNow + absl::Seconds(40);
  const QuotaPlan closed = DecideQuota(observed, kNow);
  CHECK_THAT(ConditionText(*closed.status, "Ready"), Catch::StartsWith("False LedgerLost: "));
  CHECK(closed.requeue_after == absl::Seconds(40));
  const QuotaPlan open = DecideQuota(observed, kNow + absl::Seconds(40));
  CHECK(ConditionText(*open.status, "Ready") == "True Accepted: the quota is in force");
  CHECK_FALSE(open.requeue_after);
}

}  // namespace
}  // namespace korder::quota
