#include "ticket-svc/ticket_status.h"

#include <catch2/catch.hpp>

#include "api/meta/condition.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;

// "Ready=False(Healing)"; "" when there is no such condition.
std::string Condition(const api::TicketStatus& status, const char* type) {
  const api::Condition* found = api::FindCondition(status.conditions, type);
  if (found == nullptr) {
    return "";
  }
  const bool is_true = found->status == api::ConditionStatus::kTrue;
  return std::string(type) + (is_true ? "=True(" : "=False(") + found->reason + ")";
}

// A Ready ticket on n1, promised to the pod shop.
api::Ticket Promised() {
  api::Ticket ticket = Ready(MakeTicket("web-0"), "n1");
  ticket.status =
      AssignedStatus(Reduced(ticket), MakeClaimPod("shop"), {.id = "h1", .node = "n1"}, kNow);
  return ticket;
}

api::Ticket Claimed() {
  api::Ticket ticket = Promised();
  ticket.status = ClaimedStatus(Reduced(ticket), MakeClaimPod("shop"), kNow + absl::Seconds(1));
  return ticket;
}

TEST_CASE("ticket status: Pending again, it has neither node nor guardian, and says why",
          "[ticket][status]") {
  const api::TicketStatus status = PendingStatus(Reduced(Ready(MakeTicket("web-0"), "n1")),
                                                 "Healing", "the guardian was lost", kNow);
  CHECK(status.phase == TicketPhase::kPending);
  CHECK(status.node_name.empty());
  CHECK(status.guardian_pod.empty());
  CHECK(Condition(status, "Ready") == "Ready=False(Healing)");
  CHECK(api::FindCondition(status.conditions, "Ready")->message == "the guardian was lost");
  CHECK(Condition(status, "GuardianReady") == "GuardianReady=False(Healing)");
  CHECK(Condition(status, "Scheduled") == "Scheduled=False(Healing)");
}

TEST_CASE("ticket status: promised, it is not Ready for others; given back, it is again",
          "[ticket][status]") {
  const api::Ticket ticket = Promised();
  CHECK(ticket.status.phase == TicketPhase::kClaimed);
  CHECK(ticket.status.claimed_pod == "default/shop");
  CHECK(ticket.status.claimed_pod_uid == "uid-shop");
  CHECK(Condition(ticket.status, "Ready") == "Ready=False(HandingOver)");
  CHECK(Condition(ticket.status, "GuardianReady") == "GuardianReady=True(GuardianRunning)");

  const api::TicketStatus back = ReturnedStatus(Reduced(ticket), kNow);
  CHECK(back.phase == TicketPhase::kReady);
  CHECK_FALSE(back.handoff);
  CHECK(back.claimed_pod.empty());
  CHECK(back.claimed_pod_uid.empty());
  CHECK(back.guardian_pod == "default/web-0-g1");
  CHECK(Condition(back, "Ready") == "Ready=True(GuardianRunning)");
}

TEST_CASE("ticket status: claimed, it says by whom, since when, and how much of it is used",
          "[ticket][status]") {
  const api::TicketStatus status = Claimed().status;
  CHECK(status.phase == TicketPhase::kClaimed);
  CHECK_FALSE(status.handoff);
  CHECK(status.guardian_pod.empty());
  CHECK(status.claimed_pod == "default/shop");
  CHECK(status.claimed_time == kNow + absl::Seconds(1));
  CHECK(status.utilization_rate == "1.00");
  CHECK(Condition(status, "Ready") == "Ready=False(Claimed)");
  CHECK(Condition(status, "GuardianReady") == "GuardianReady=False(Claimed)");
}

TEST_CASE("ticket status: a ticket whose room was lost knows nothing more of the pod",
          "[ticket][status]") {
  const api::TicketStatus status = LostStatus(Reduced(Claimed()), "the pod landed elsewhere", kNow);
  CHECK(status.phase == TicketPhase::kPending);
  CHECK(status.reason == "Healing");
  CHECK(status.claimed_pod.empty());
  CHECK(status.claimed_pod_uid.empty());
  CHECK(status.utilization_rate.empty());
  CHECK_FALSE(LostStatus(Reduced(Promised()), "the pod is gone", kNow).handoff);
}

TEST_CASE("ticket status: finished, nothing is under way any more, and the time stays",
          "[ticket][status]") {
  api::Ticket ticket = Promised();
  ticket.status.conditions.push_back({.type = "Expiring", .status = api::ConditionStatus::kTrue});
  ticket.status =
      FinishedStatus(Reduced(ticket), TicketPhase::kExpired, "WindowOver", "it is over", kNow);
  CHECK_FALSE(ticket.status.handoff);
  CHECK(ticket.status.guardian_pod.empty());
  CHECK(ticket.status.finished_time == kNow);
  CHECK(Condition(ticket.status, "Ready") == "Ready=False(WindowOver)");
  CHECK(Condition(ticket.status, "GuardianReady") == "GuardianReady=False(WindowOver)");
  CHECK(Condition(ticket.status, "Expiring").empty());
  CHECK(FinishedStatus(Reduced(ticket), TicketPhase::kExpired, "WindowOver", "",
                       kNow + absl::Hours(1))
            .finished_time == kNow);
}

TEST_CASE("ticket status: a longer window is Expiring only once its own end is near",
          "[ticket][status]") {
  api::Ticket ticket = Ready(MakeTicket("web-0"), "n1");
  ticket.status = ExpiringStatus(Reduced(ticket), kNow + absl::Minutes(54));
  CHECK(Condition(ticket.status, "Expiring") == "Expiring=True(WindowEnding)");
  const auto longer = [&](absl::Time now) {
    return ProlongedStatus(Reduced(ticket), kNow + absl::Minutes(100), now);
  };
  CHECK(Condition(longer(kNow + absl::Minutes(90) - absl::Milliseconds(1)), "Expiring").empty());
  CHECK_FALSE(Condition(longer(kNow + absl::Minutes(90)), "Expiring").empty());
  const api::TicketStatus endless =
      ProlongedStatus(Reduced(ticket), absl::InfiniteFuture(), kNow + absl::Minutes(59));
  CHECK(Condition(endless, "Expiring").empty());
}

TEST_CASE("ticket status: the rate is that of the resource that is used least",
          "[ticket][status]") {
  api::Ticket ticket = MakeTicket("web-0");
  const auto rate = [&](const api::ResourceList& asked) {
    api::Pod pod = MakeClaimPod("shop");
    pod.spec.containers[0].resources.requests = asked;
    return UtilizationRate(Reduced(ticket), pod);
  };
  CHECK(rate(Resources("500m", "1Gi")) == "1.00");
  CHECK(rate(Resources("250m", "1Gi")) == "0.50");
  CHECK(rate(Resources("500m", "256Mi")) == "0.25");
  CHECK(rate({{"cpu", *api::Quantity::Parse("500m")}}) == "0.00");
  ticket.spec.resources.requests = Resources("500m", "0");
  CHECK(rate(Resources("250m", "1Gi")) == "0.50");
  ticket.spec.resources.requests = Resources("0", "1Gi");
  CHECK(rate(Resources("0", "512Mi")) == "0.50");
  ticket.spec.resources.requests = {{"cpu", api::Quantity::FromNanos(1)}};
  CHECK(rate({}) == "0.00");
  ticket.spec.resources.requests = {};
  CHECK(rate(Resources("250m", "1Gi")) == "0.00");
}

}  // namespace
}  // namespace korder::ticket
