#include <catch2/catch.hpp>

#include "api/testing/from_json.h"
#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"

namespace korder::api {
namespace {

constexpr char kOrder[] = R"({
  "apiVersion":"core.korder.dev/v1alpha1","kind":"Order",
  "metadata":{"name":"scheduled-order","namespace":"default","generation":2,"uid":"o-1",
    "managedFields":[{"manager":"kubectl"}]},
  "spec":{"paused":false,"replicas":2,"daemonSet":false,
    "strategy":{"type":"Scheduled","schedule":"0 2 * * *","refreshPolicy":"Always",
      "timeZone":"Europe/Berlin","leadTime":"5m","skip":["2026-12-24"]},
    "selector":{"matchLabels":{"app":"web"}},"minReadySeconds":3,"somethingNew":{"a":[1]},
    "template":{"metadata":{"labels":{"app":"web"}},
      "spec":{"lifecycle":{"ttlSecondsAfterFinished":60,"cleanupPolicy":"Retain"},
        "startTime":"2030-01-02T03:04:05Z","duration":"8h",
        "resources":{"requests":{"cpu":"200m","memory":"512Mi"},"limits":{"cpu":1}},
        "nodeSelector":{"node-type":"compute"},
        "tolerations":[{"operator":"Exists","effect":"NoSchedule"}]}}},
  "status":{"replicas":2,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":1,
    "claimedReplicas":0,"terminalReplicas":0,"updatedReplicas":2,"selector":"app=web",
    "observedGeneration":2,"collisionCount":0,
    "currentWindow":{"start":"2030-01-02T01:00:00Z","end":"2030-01-02T09:00:00Z"},
    "nextWindow":{"start":"2030-01-03T01:00:00Z"},"lastScheduleTime":"2030-01-02T01:00:00Z",
    "conditions":[{"type":"Ready","status":"False","observedGeneration":2,
      "lastTransitionTime":"2030-01-02T01:00:00Z","reason":"TicketsNotReady","message":""}]}})";

TEST_CASE("order: every field is read and written back", "[order][types]") {
  const auto order = FromJson<Order>(kOrder);
  CHECK(order.spec.replicas == 2);
  CHECK(order.spec.strategy.type == StrategyType::kScheduled);
  CHECK(order.spec.strategy.refresh_policy == RefreshPolicy::kAlways);
  CHECK(order.spec.strategy.lead_time->value() == absl::Minutes(5));
  CHECK(order.spec.ticket_template.spec.duration->value() == absl::Hours(8));
  CHECK(order.spec.ticket_template.spec.lifecycle.cleanup_policy == CleanupPolicy::kRetain);
  CHECK(order.spec.ticket_template.spec.resources.limits.at("cpu").ToString() == "1");
  CHECK(order.status.next_window->start.has_value());
  CHECK_FALSE(order.status.next_window->end.has_value());
  CHECK(order.status.conditions.at(0).status == ConditionStatus::kFalse);

  const std::string text = json::Print(order);
  CHECK(FromJson<Order>(text) == order);
  CHECK(text.find(R"("duration":"8h")") != std::string::npos);  // as the user wrote it
}

TEST_CASE("order: what is absent has the schema's defaults", "[order][types]") {
  const auto order = FromJson<Order>(R"({"spec":{"template":{"spec":{}}}})");
  CHECK(order.spec.replicas == 1);
  CHECK(order.spec.strategy.type == StrategyType::kOneTime);
  CHECK(order.spec.strategy.refresh_policy == RefreshPolicy::kOnClaim);
  CHECK(order.spec.ticket_template.spec.lifecycle.ttl_seconds_after_finished == 300);
  CHECK_FALSE(order.spec.ticket_template.spec.duration.has_value());
  CHECK_FALSE(order.spec.selector.has_value());
}

TEST_CASE("ticket: a status with a handoff survives writing and reading", "[ticket][types]") {
  const auto ticket = FromJson<Ticket>(R"({
    "metadata":{"name":"web-0","namespace":"default"},
    "spec":{"resources":{"requests":{"cpu":"1"}}},
    "status":{"phase":"Ready","reason":"","nodeName":"node-3","guardianPod":"default/web-0-g1",
      "claimedPod":"default/web-x","claimedPodUID":"p-1","activationTime":"2030-01-02T03:04:05Z",
      "expirationTime":"2030-01-03T03:04:05Z","utilizationRate":"0.80","incarnation":1,
      "observedGeneration":1,
      "handoff":{"id":"h-1","step":"Assigned","podUID":"p-1","guardianUID":"g-1","node":"node-3",
                 "startedAt":"2030-01-02T04:04:05Z"}}})");
  CHECK(ticket.status.phase == TicketPhase::kReady);
  CHECK(ticket.status.handoff->guardian_uid == "g-1");
  CHECK(FromJson<Ticket>(json::Print(ticket)) == ticket);
}

TEST_CASE("ticket: a new one is written without a status", "[ticket][types]") {
  Ticket ticket;
  ticket.metadata.name = "web-0";
  ticket.spec.duration = absl::Hours(24);
  CHECK(json::Print(ticket) ==
        R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"name":"web-0"},)"
        R"("spec":{"lifecycle":{"ttlSecondsAfterFinished":300,"cleanupPolicy":"Delete"},)"
        R"("duration":"24h"}})");
}

TEST_CASE("ticket: each phase is live, claimed or finished", "[ticket][types]") {
  CHECK(IsLive(TicketPhase::kPending));
  CHECK(IsLive(TicketPhase::kReady));
  CHECK_FALSE(IsLive(TicketPhase::kClaimed));
  CHECK_FALSE(IsFinished(TicketPhase::kReady));
  CHECK_FALSE(IsFinished(TicketPhase::kClaimed));
  CHECK(IsFinished(TicketPhase::kCompleted));
  CHECK(IsFinished(TicketPhase::kExpired));
  CHECK(IsFinished(TicketPhase::kFailed));
}

TEST_CASE("quota: limits are numbers or strings, amounts are strings", "[quota][types]") {
  const auto quota = FromJson<Quota>(R"({
    "metadata":{"name":"team-quota"},
    "spec":{"scope":{"type":"NamespaceSelector",
        "namespaceSelector":{"matchLabels":{"team":"backend"}}},
      "hard":{"orders":10,"reserved.memory":"40Gi","max-duration":"24h"},
      "timeWindows":[{"name":"day","multiplier":1.5,"days":["Mon","Fri"],"hours":"09:00-18:00"}],
      "allocation":[{"namespace":"a","limits":{"tickets":"5"}}]},
    "status":{"hard":{"orders":"15"},"used":{"orders":"2"},"available":{"orders":"13"},
      "allocations":[{"namespace":"a","hard":{"tickets":"5"},"used":{"tickets":"1"}}],
      "activeTimeWindow":"day","nextTransitionTime":"2030-01-02T17:00:00Z",
      "summary":{"orders":"2/15"}}})");
  CHECK(quota.spec.hard.at("orders").text == "10");
  CHECK(quota.spec.time_windows.at(0).multiplier.text == "1.5");
  CHECK(quota.spec.time_windows[0].days == std::vector{Weekday::kMon, Weekday::kFri});
  CHECK(quota.status.allocations.at(0).used.at("tickets") == "1");
  CHECK(FromJson<Quota>(json::Print(quota)) == quota);
}

TEST_CASE("claim policy: what is absent has the schema's defaults", "[claim_policy][types]") {
  const auto policy =
      FromJson<ClaimPolicy>(R"({"spec":{"podSelector":{"matchLabels":{"app":"web"}}}})");
  CHECK(policy.spec.mode == ClaimMode::kPreferred);
  CHECK(policy.spec.fallback == ClaimFallback::kSchedule);
  CHECK(policy.spec.claim_timeout.value() == absl::Seconds(30));
  CHECK(FromJson<ClaimPolicy>(json::Print(policy)) == policy);
}

TEST_CASE("duration field: a malformed text is kept, not refused", "[types]") {
  const auto field = FromJson<DurationField>(R"("1 day")");
  CHECK_FALSE(field.valid());
  CHECK(field.value() == absl::ZeroDuration());
  CHECK(json::Print(field) == R"("1 day")");
  CHECK_FALSE(field == DurationField());
  CHECK(field == DurationField::FromText("1 day"));
}

TEST_CASE("duration field: equal durations are equal however they are written", "[types]") {
  CHECK(DurationField::FromText("60m") == DurationField(absl::Hours(1)));
  CHECK_FALSE(DurationField::FromText("61m") == DurationField(absl::Hours(1)));
}

TEST_CASE("duration field: what korder writes is short", "[types]") {
  CHECK(DurationField(absl::Hours(24)).text() == "24h");
  CHECK(DurationField(absl::Minutes(90)).text() == "1h30m");
  CHECK(DurationField(absl::Minutes(10)).text() == "10m");
  CHECK(DurationField(absl::Seconds(30)).text() == "30s");
  CHECK(DurationField(absl::Hours(1) + absl::Seconds(5)).text() == "1h0m5s");
  CHECK(DurationField(absl::ZeroDuration()).text() == "0s");
}

TEST_CASE("calendar: hours of a day", "[types][calendar]") {
  struct Case {
    std::string text;
    std::optional<DayHours> want;
  };
  const Case cases[] = {
      {"09:00-18:00", DayHours{540, 1080}}, {"22:00-06:30", DayHours{1320, 390}},
      {"00:00-24:00", DayHours{0, 1440}},   {"18:00-24:00", DayHours{1080, 1440}},
      {"24:00-06:00", std::nullopt},        {"09:00-09:00", std::nullopt},
      {"09:60-10:00", std::nullopt},        {"09:00-24:01", std::nullopt},
      {"9:00-18:00", std::nullopt},         {"09:00 18:00", std::nullopt},
      {"09:00-18:00 ", std::nullopt},       {"", std::nullopt},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION("\"" << c.text << "\"") {
      const auto got = ParseDayHours(c.text);
      CHECK((got.ok() ? std::optional(*got) : std::nullopt) == c.want);
    }
  }
}

TEST_CASE("calendar: occurrences to skip are instants or days", "[types][calendar]") {
  const absl::Time instant = absl::FromUnixSeconds(1'893'553'445);
  struct Case {
    std::string text;
    std::optional<SkipEntry> want;
  };
  const Case cases[] = {
      {"2030-01-02T03:04:05Z", instant},
      {"2030-01-02T04:04:05+01:00", instant},
      {"2030-01-02T03:04:05.000Z", instant},
      {"2030-01-02", absl::CivilDay(2030, 1, 2)},
      {"2028-02-29", absl::CivilDay(2028, 2, 29)},
      {"2030-02-29", std::nullopt},
      {"2030-1-2", std::nullopt},
      {"2030-01-02T03:04:05", std::nullopt},
      {"2030-01-02T03:04:05Z ", std::nullopt},
      {" 2030-01-02T03:04:05Z", std::nullopt},
      {"infinite-future", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION("\"" << c.text << "\"") {
      const auto got = ParseSkipEntry(c.text);
      CHECK((got.ok() ? std::optional(*got) : std::nullopt) == c.want);
    }
  }
}

}  // namespace
}  // namespace korder::api
