#include "ticket-svc/decide.h"

#include <random>

#include <catch2/catch.hpp>

#include "api/meta/condition.h"
#include "api/v1alpha1/reasons.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/prolong.h"
#include "ticket-svc/testing/plan_world.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;
using Events = std::vector<std::string>;

// A ticket whose first guardian holds the room.
PlanWorld ReadyWorld(api::Ticket ticket = MakeTicket("web-0")) {
  PlanWorld world(std::move(ticket));
  world.Settle();
  world.RunGuardians();
  world.Settle();
  REQUIRE(world.status().phase == TicketPhase::kReady);
  return world;
}

TEST_CASE("ticket decide: a ticket becomes Ready by one guardian and one status write",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  const Plan first = world.Turn();
  CHECK(first.actions == std::vector<Action>{ConfirmCharge{}, CreateGuardian{1}});
  CHECK(world.Turn().actions.empty());
  CHECK(world.status_writes() == 0);

  world.Advance(absl::Seconds(1));
  world.RunGuardians();
  world.Settle();
  CHECK(world.status_writes() == 1);
  CHECK(world.confirms() == 1);
  const api::TicketStatus& status = world.status();
  CHECK(status.phase == TicketPhase::kReady);
  CHECK(status.node_name == "n1");
  CHECK(status.guardian_pod == "default/web-0-g1");
  CHECK(status.incarnation == 1);
  CHECK(status.observed_generation == 1);
  CHECK(status.activation_time == kNow + absl::Seconds(1));
  CHECK(status.expiration_time == kNow + absl::Seconds(1) + absl::Hours(1));
  CHECK(api::IsConditionTrue(status.conditions, "Ready"));
  CHECK(api::IsConditionTrue(status.conditions, "GuardianReady"));
  CHECK(api::IsConditionTrue(status.conditions, "Scheduled"));
  CHECK(world.events() == Events{"TicketReady"});
}

TEST_CASE("ticket decide: a ticket is not Ready before its guardian is bound and Running",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  world.Settle();
  api::Pod& guardian = world.guardian("web-0-g1");
  SECTION("bound, not Running") { guardian.spec.node_name = "n1"; }
  SECTION("Running on a node that does not exist") { guardian = Running(guardian, "n9"); }
  SECTION("Running, but with less than the ticket reserves") {
    guardian = Running(guardian, "n1");
    guardian.spec.containers[0].resources.requests = Resources("100m", "1Gi");
  }
  SECTION("Running, but being deleted") {
    guardian = Running(guardian, "n1");
    guardian.metadata.deletion_timestamp = kNow;
  }
  world.Turn();
  CHECK(world.status().phase == TicketPhase::kPending);
}

TEST_CASE("ticket decide: a pod that only looks like a guardian does not make a ticket Ready",
          "[ticket][decide]") {
  // Whoever may create pods in the namespace can copy name, labels and owner.
  PlanWorld world(MakeTicket("web-0"));
  world.guardians()["web-0-g1"] = Running(MakeGuardian(world.ticket(), 1), "n1");
  const Plan plan = Decide(world.Look());
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0] == Action{ConfirmCharge{}});  // Nothing after it happens when denied.

  const Plan denied = DecideDenied(world.Look(), "quota team: tickets: 3 of 3 used", {});
  world.Perform(denied);
  CHECK(world.guardians().empty());
  CHECK(world.status().reason == "QuotaDenied");
  CHECK(world.status().incarnation == 0);
}

TEST_CASE("ticket decide: a start time in the future is waited for", "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow + absl::Minutes(5);
  PlanWorld world(ticket);
  const Plan plan = world.Settle();
  CHECK(world.guardians().empty());
  CHECK(world.status().reason == "NotStarted");
  CHECK(world.status_writes() == 1);
  CHECK(plan.requeue_after == absl::Minutes(5));

  world.Advance(absl::Minutes(5));
  world.Settle();
  world.Advance(absl::Seconds(7));
  world.RunGuardians();
  world.Settle();
  CHECK(world.status().activation_time == kNow + absl::Minutes(5) + absl::Seconds(7));
  CHECK(world.status().expiration_time == kNow + absl::Minutes(65));
}

// Its window opens in an hour and lasts for one.
api::Ticket EarlyTicket() {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow + absl::Hours(1);
  ticket.metadata.annotations["korder.dev/lead-time"] = "10m";
  return ticket;
}

TEST_CASE("ticket decide: with a lead time the room is held when the window opens",
          "[ticket][decide]") {
  PlanWorld world(EarlyTicket());
  CHECK(world.Settle().requeue_after == absl::Minutes(50));
  CHECK(world.guardians().empty());

  world.Advance(absl::Minutes(50));
  world.Settle();
  CHECK(world.guardians().size() == 1);
  world.Advance(absl::Seconds(7));
  world.RunGuardians();
  world.Settle();
  const api::TicketStatus& status = world.status();
  CHECK(status.phase == TicketPhase::kReady);
  CHECK(status.node_name == "n1");
  CHECK(status.activation_time == kNow + absl::Hours(1));
  CHECK(status.expiration_time == kNow + absl::Hours(2));
  CHECK_FALSE(api::IsConditionTrue(status.conditions, "Expiring"));

  world.Advance(absl::Minutes(64) - absl::Seconds(7));  // A tenth of the window is left.
  world.Settle();
  CHECK(api::IsConditionTrue(world.status().conditions, "Expiring"));
  world.Advance(absl::Minutes(6) - absl::Milliseconds(1));
  CHECK(world.Settle().requeue_after == absl::Milliseconds(1));
  CHECK(world.status().phase == TicketPhase::kReady);
  world.Advance(absl::Milliseconds(1));
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kExpired);
}

TEST_CASE("ticket decide: a ticket with a lead time that is Ready late has the end of the others",
          "[ticket][decide]") {
  PlanWorld world(EarlyTicket());
  world.Advance(absl::Minutes(55));
  world.Settle();
  world.Advance(absl::Minutes(25));
  world.RunGuardians();
  world.Settle();
  CHECK(world.status().activation_time == kNow + absl::Minutes(80));
  CHECK(world.status().expiration_time == kNow + absl::Hours(2));
}

TEST_CASE("ticket decide: room that is lost before the window opens is found again for it",
          "[ticket][decide]") {
  PlanWorld world(EarlyTicket());
  world.Advance(absl::Minutes(50));
  world.Settle();
  world.RunGuardians();
  world.Settle();
  world.guardians().clear();
  world.Settle();
  CHECK(world.status().reason == "Healing");
  CHECK(world.guardians().contains("web-0-g2"));
  world.RunGuardians();
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK(world.status().activation_time == kNow + absl::Hours(1));
}

TEST_CASE("ticket decide: a lead time is read with a start time only", "[ticket][decide]") {
  struct Row {
    const char* text;
    absl::Duration want;
    bool problem;
  };
  const Row rows[] = {{"90m", absl::Minutes(90), false},
                      {"0s", absl::ZeroDuration(), false},
                      {"-1s", absl::ZeroDuration(), true},
                      {"", absl::ZeroDuration(), true},
                      {"10 minutes", absl::ZeroDuration(), true}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    api::Ticket ticket = EarlyTicket();
    ticket.metadata.annotations["korder.dev/lead-time"] = row.text;
    CHECK(LeadTimeOf(Reduced(ticket)).value == row.want);
    CHECK(LeadTimeOf(Reduced(ticket)).problems.empty() != row.problem);
    CHECK(GuardianFrom(Reduced(ticket)) == kNow + absl::Hours(1) - row.want);
    ticket.spec.start_time.reset();
    CHECK(LeadTimeOf(Reduced(ticket)).problems.empty());
    CHECK(GuardianFrom(Reduced(ticket)) == absl::InfinitePast());
  }
}

TEST_CASE("ticket decide: a lead time that counts as 0 is told once", "[ticket][decide]") {
  api::Ticket ticket = EarlyTicket();
  ticket.metadata.annotations["korder.dev/lead-time"] = "soon";
  PlanWorld world(ticket);
  CHECK(world.Settle().requeue_after == absl::Hours(1));
  world.Advance(absl::Minutes(30));
  world.Settle();
  CHECK(world.events() == Events{"InvalidSpec"});
  world.Advance(absl::Minutes(30));
  world.Settle();
  CHECK(world.guardians().size() == 1);
}

TEST_CASE("ticket decide: a start time set again while Pending moves the start",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow + absl::Hours(5);
  PlanWorld world(ticket);
  world.Settle();
  world.ticket().spec.start_time = kNow;
  world.Settle();
  CHECK(world.guardians().size() == 1);
}

TEST_CASE("ticket decide: the scheduler's refusal is repeated in the status, after a moment",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  world.Settle();
  api::Pod& guardian = world.guardian("web-0-g1");
  guardian = Refused(guardian, "0/10 nodes are available: 10 Insufficient cpu.");
  const Plan early = world.Turn();
  CHECK(early.actions.empty());
  CHECK(early.requeue_after == absl::Seconds(2));

  world.Advance(absl::Seconds(2));
  world.Settle();
  CHECK(world.status_writes() == 1);
  CHECK(world.status().reason == "Unschedulable");
  CHECK(world.status().message == "0/10 nodes are available: 10 Insufficient cpu.");
  CHECK(world.status().incarnation == 1);

  guardian = Refused(guardian, "0/11 nodes are available: 11 Insufficient cpu.");
  CHECK(world.Turn().requeue_after == absl::Seconds(30));
  CHECK(world.status_writes() == 1);
  world.Advance(absl::Seconds(10));
  CHECK(world.Turn().requeue_after == absl::Seconds(20));
  world.Advance(absl::Seconds(20));
  world.Settle();
  CHECK(world.status().message == "0/11 nodes are available: 11 Insufficient cpu.");
  CHECK(world.status_writes() == 2);

  world.RunGuardians();
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK(world.status().message.empty());
}

TEST_CASE("ticket decide: a lost guardian is replaced inside the same ticket", "[ticket][decide]") {
  struct Case {
    const char* name;
    void (*lose)(PlanWorld&);
    const char* want_message;
  };
  const Case cases[] = {
      {"deleted", [](PlanWorld& w) { w.guardians().clear(); },
       "guardian default/web-0-g1 was deleted"},
      {"being deleted",
       [](PlanWorld& w) { w.guardian("web-0-g1").metadata.deletion_timestamp = kNow; },
       "guardian default/web-0-g1 is being deleted"},
      {"evicted",
       [](PlanWorld& w) {
         w.guardian("web-0-g1").status = {.phase = "Failed",
                                          .reason = "Evicted",
                                          .message = "low on memory",
                                          .nominated_node_name = "",
                                          .conditions = {},
                                          .start_time = {}};
       },
       "guardian default/web-0-g1 ended: Evicted: low on memory"},
      {"node gone", [](PlanWorld& w) { w.DropNode("n1"); },
       "node n1 of guardian default/web-0-g1 is gone"},
      {"label taken away",
       [](PlanWorld& w) { w.guardian("web-0-g1").metadata.labels.erase("korder.dev/role"); },
       "guardian default/web-0-g1 lost its label korder.dev/role"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      PlanWorld world = ReadyWorld();
      const std::optional<absl::Time> end = world.status().expiration_time;
      c.lose(world);
      world.AddNode("n2");
      world.Turn();
      CHECK(world.status().phase == TicketPhase::kPending);
      CHECK(world.status().reason == "Healing");
      CHECK(world.status().message == c.want_message);
      CHECK(world.status().node_name.empty());
      CHECK(world.events().back() == "Healing");
      CHECK(world.guardians().contains("web-0-g2"));

      world.Advance(absl::Minutes(3));  // the end does not move for it
      world.RunGuardians("n2");
      world.guardians().erase("web-0-g1");
      world.Settle();
      CHECK(world.status().phase == TicketPhase::kReady);
      CHECK(world.status().node_name == "n2");
      CHECK(world.status().incarnation == 2);
      CHECK(world.status().expiration_time == end);
      CHECK(world.status_writes() == 3);
    }
  }
}

TEST_CASE("ticket decide: a ticket pinned to a node that is deleted fails for good",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.node_name = "n1";
  PlanWorld world = ReadyWorld(ticket);
  world.DropNode("n1");
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kFailed);
  CHECK(world.status().reason == "NodeDeleted");
  CHECK(world.status().finished_time == kNow);
  CHECK(world.guardians().empty());
}

TEST_CASE("ticket decide: another guardian that waits does not save a pinned ticket",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.node_name = "n1";
  PlanWorld world = ReadyWorld(ticket);
  world.guardians()["web-0-g2"] = MakeGuardian(world.ticket(), 2);
  world.DropNode("n1");
  world.Settle();
  CHECK(world.status().reason == "NodeDeleted");
}

TEST_CASE("ticket decide: a status that names another node than the guardian's is put right",
          "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.ticket().status.node_name = "n9";
  world.Settle();
  CHECK(world.status().node_name == "n1");
}

TEST_CASE("ticket decide: of two guardians one is kept", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  SECTION("the one that holds, against a newer one that does not") {
    world.guardians()["web-0-g2"] = MakeGuardian(world.ticket(), 2);
    world.Settle();
    CHECK(world.guardians().contains("web-0-g1"));
    CHECK(world.status_writes() == 1);
  }
  SECTION("the one that the status names, when both hold") {
    world.guardians()["web-0-g2"] = Running(MakeGuardian(world.ticket(), 2), "n1");
    world.Settle();
    CHECK(world.guardians().contains("web-0-g1"));
    CHECK(world.status_writes() == 1);
  }
  SECTION("the other one, when the one that the status names is lost") {
    world.guardians()["web-0-g2"] = Running(MakeGuardian(world.ticket(), 2), "n1");
    world.guardian("web-0-g1").status.phase = "Failed";
    world.Settle();
    CHECK(world.guardians().contains("web-0-g2"));
    CHECK(world.status().guardian_pod == "default/web-0-g2");
    CHECK(world.status().phase == TicketPhase::kReady);
  }
  CHECK(world.guardians().size() == 1);
}

TEST_CASE("ticket decide: a ticket expires at its end, not before, once", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.Advance(absl::Hours(1) - absl::Milliseconds(1));
  const Plan plan = world.Settle();
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK(plan.requeue_after == absl::Milliseconds(1));
  CHECK(world.guardians().size() == 1);

  world.Advance(absl::Milliseconds(1));
  const Plan expiry = world.Turn();
  REQUIRE(expiry.actions.size() == 2);
  CHECK(std::holds_alternative<WriteStatus>(expiry.actions[0]));  // Never Ready without guardian.
  CHECK(world.status().phase == TicketPhase::kExpired);
  CHECK(world.status().finished_time == kNow + absl::Hours(1));
  CHECK(world.guardians().empty());
  CHECK(world.events().back() == "TicketExpired");

  world.Advance(-absl::Hours(2));  // The clock was set back.
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kExpired);
  CHECK(world.guardians().empty());
}

TEST_CASE("ticket decide: the end stays what it was when the ticket is looked at later",
          "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  const std::optional<absl::Time> end = world.status().expiration_time;
  for (int i = 0; i < 5; ++i) {
    world.Advance(absl::Minutes(10));
    world.Restart();
    world.Settle();
    CHECK(world.status().expiration_time == end);
  }
}

TEST_CASE("ticket decide: Expiring is told a tenth of the window before the end",
          "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  CHECK(world.Turn().requeue_after == absl::Minutes(54));
  world.Advance(absl::Minutes(54));
  const Plan plan = world.Settle();
  CHECK(api::IsConditionTrue(world.status().conditions, "Expiring"));
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK(world.status_writes() == 2);
  CHECK(plan.requeue_after == absl::Minutes(6));
}

TEST_CASE("ticket decide: a ticket that never got its room ends with its window",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow - absl::Hours(1);
  PlanWorld world(ticket);
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kExpired);
  CHECK(world.guardians().empty());
}

TEST_CASE("ticket decide: whatever holds a ticket up, it ends in time", "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow - absl::Hours(1) + absl::Milliseconds(300);
  const PlanWorld world(ticket);
  const Observed observed = world.Look();
  CHECK(DecideDenied(observed, "no", {}).requeue_after == absl::Milliseconds(300));
  CHECK(DecideQuotaUnavailable(observed, "no").requeue_after == absl::Milliseconds(300));
  CHECK(DecideRefused(observed, "no", false).requeue_after == absl::Milliseconds(300));
}

TEST_CASE("ticket decide: a duration that validation refuses ends nothing", "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = kNow - absl::Hours(1);
  ticket.spec.duration = absl::ZeroDuration();
  PlanWorld world(ticket);
  world.Settle();
  CHECK(world.status().phase == TicketPhase::kPending);
  CHECK(world.status().reason == "InvalidSpec");
}

TEST_CASE("ticket decide: a longer duration moves the end by one write", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.Advance(absl::Minutes(57));
  world.Settle();
  REQUIRE(api::IsConditionTrue(world.status().conditions, "Expiring"));
  const int writes = world.status_writes();
  world.ticket().spec.duration = absl::Hours(2);
  world.ticket().metadata.generation = 2;
  const Plan plan = world.Settle();
  CHECK(world.asked_ends() == std::vector<absl::Time>{kNow + absl::Hours(2)});
  CHECK(world.status_writes() == writes + 1);
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK(world.status().activation_time == kNow);
  CHECK(world.status().expiration_time == kNow + absl::Hours(2));
  CHECK(world.status().observed_generation == 2);
  CHECK(api::FindCondition(world.status().conditions, "Expiring") == nullptr);
  CHECK(world.events().back() == "TicketRenewed");
  CHECK(plan.requeue_after == absl::Minutes(53));  // 10 min before the end
}

TEST_CASE("ticket decide: a duration that goes makes the window endless", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.ticket().spec.duration.reset();
  const Plan plan = world.Settle();
  CHECK(world.asked_ends() == std::vector<absl::Time>{absl::InfiniteFuture()});
  CHECK_FALSE(world.status().expiration_time);
  CHECK_FALSE(plan.requeue_after);
}

TEST_CASE("ticket decide: a window that is over is not made longer", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.ticket().spec.duration = absl::Hours(2);
  const absl::Time end = kNow + absl::Hours(1);
  CHECK(LongerEnd(world.ticket(), end - absl::Milliseconds(1)) == kNow + absl::Hours(2));
  CHECK(LongerEnd(world.ticket(), end) == std::nullopt);
}

TEST_CASE("ticket decide: a renewal tells when the window ends now", "[ticket][decide]") {
  const Observed observed = ReadyWorld().Look();
  CHECK(Prolong(observed, absl::InfiniteFuture()).events[0].message ==
        "the window has no end any more");
  CHECK(Prolong(observed, kNow).events[0].message == "the window ends at 2027-01-15T08:00:00Z");
}

TEST_CASE("ticket decide: a window is made longer before it opens", "[ticket][decide]") {
  PlanWorld world(EarlyTicket());
  world.Advance(absl::Minutes(50));
  world.Settle();
  world.RunGuardians();
  world.Settle();
  world.ticket().spec.duration = absl::Hours(2);
  world.Settle();
  CHECK(world.status().activation_time == kNow + absl::Hours(1));
  CHECK(world.status().expiration_time == kNow + absl::Hours(3));
}

TEST_CASE("ticket decide: a denied end is not asked for again before its time",
          "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.ticket().spec.duration = absl::Hours(2);
  Observed observed = world.Look();
  observed.refused_end = RefusedEnd{.end = kNow + absl::Hours(2), .wait = absl::Seconds(30)};
  const Plan told = DecideNotLonger(observed, "quota q: no");
  CHECK(told.actions.empty());
  CHECK(told.events == std::vector<EventNote>{{true, "QuotaDenied", "quota q: no"}});
  CHECK(told.requeue_after == absl::Seconds(30));
  CHECK(DecideNotLonger(observed, "").events.empty());

  const Action ask = ConfirmLonger{kNow + absl::Hours(2)};
  observed.refused_end->wait = absl::ZeroDuration();
  CHECK(Decide(observed).actions.front() == ask);
  observed.refused_end = RefusedEnd{.end = kNow + absl::Hours(3), .wait = absl::Seconds(30)};
  CHECK(Decide(observed).actions.front() == ask);  // That was about another end.

  CHECK(AskAgainIn({}, kNow) == absl::Seconds(30));
  CHECK(AskAgainIn(kNow + absl::Hours(1), kNow) == absl::Seconds(30));
  CHECK(AskAgainIn(kNow + absl::Seconds(7), kNow) == absl::Seconds(7));
  CHECK(AskAgainIn(kNow, kNow) == absl::Seconds(1));
}

TEST_CASE("ticket decide: a ticket without duration never ends", "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.duration.reset();
  PlanWorld world = ReadyWorld(ticket);
  CHECK_FALSE(world.status().expiration_time);
  world.Advance(absl::Hours(24 * 365));
  const Plan plan = world.Settle();
  CHECK(world.status().phase == TicketPhase::kReady);
  CHECK_FALSE(plan.requeue_after);
}

TEST_CASE("ticket decide: a finished ticket is deleted after its time, or kept",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.lifecycle.ttl_seconds_after_finished = 60;
  SECTION("Delete") {
    PlanWorld world = ReadyWorld(ticket);
    world.Advance(absl::Hours(1));
    const Plan plan = world.Settle();
    CHECK(plan.requeue_after == absl::Seconds(60));
    world.Advance(absl::Seconds(59));
    CHECK(world.Settle().requeue_after == absl::Seconds(1));
    CHECK_FALSE(world.ticket_deleted());
    world.Advance(absl::Seconds(1));
    world.Settle();
    CHECK(world.ticket_deleted());
  }
  SECTION("Retain") {
    ticket.spec.lifecycle.cleanup_policy = api::CleanupPolicy::kRetain;
    PlanWorld world = ReadyWorld(ticket);
    world.Advance(absl::Hours(1));
    CHECK_FALSE(world.Settle().requeue_after);
    world.Advance(absl::Hours(1000));
    world.Settle();
    CHECK_FALSE(world.ticket_deleted());
  }
}

TEST_CASE("ticket decide: a finished ticket that nobody cleaned up is cleaned up",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.status.phase = TicketPhase::kExpired;
  PlanWorld world(ticket);
  world.guardians()["web-0-g1"] = MakeGuardian(ticket, 1);
  world.Settle();
  CHECK(world.guardians().empty());
  CHECK(world.status().finished_time == kNow);
}

TEST_CASE("ticket decide: a ticket that is being deleted gets nothing new", "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.ticket().metadata.deletion_timestamp = kNow;
  world.Settle();
  CHECK(world.guardians().empty());
  CHECK(world.status_writes() == 1);
}

// A ticket that a running pod has claimed.
PlanWorld ClaimedWorld() {
  PlanWorld world = ReadyWorld();
  api::Pod pod = Running(MakeClaimPod("shop"), "n1");
  pod.metadata.labels["korder.dev/claim"] = "claimed";
  world.guardians().clear();
  world.ticket().status = AssignedStatus(Reduced(world.ticket()), pod, {}, kNow);
  world.ticket().status = ClaimedStatus(Reduced(world.ticket()), pod, kNow);
  world.claimed_pod() = pod;
  return world;
}

TEST_CASE("ticket decide: a claimed ticket is completed when its pod or its window ends",
          "[ticket][decide]") {
  PlanWorld world = ClaimedWorld();
  CHECK(world.Turn().actions.empty());
  SECTION("the pod succeeded") {
    world.claimed_pod()->status.phase = "Succeeded";
    world.Settle();
    CHECK(world.status().reason == "PodFinished");
  }
  SECTION("the pod is gone") {
    world.claimed_pod().reset();
    world.Settle();
    CHECK(world.status().reason == "PodFinished");
  }
  SECTION("the window is over; the pod keeps running") {
    world.Advance(absl::Hours(1));
    world.Settle();
    CHECK(world.status().reason == "WindowOver");
    CHECK(world.claimed_pod().has_value());
  }
  CHECK(world.status().phase == TicketPhase::kCompleted);
  CHECK(world.status().claimed_pod == "default/shop");
  CHECK(world.status().finished_time.has_value());
  CHECK(world.events().back() == "TicketCompleted");
}

TEST_CASE("ticket decide: a claimed pod without its label is asked for now and then",
          "[ticket][decide]") {
  PlanWorld world = ClaimedWorld();
  world.claimed_pod()->metadata.labels.clear();
  CHECK(world.Settle().requeue_after == absl::Seconds(30));
}

TEST_CASE("ticket decide: the end of a claimed ticket's window is looked out for",
          "[ticket][decide]") {
  PlanWorld world = ClaimedWorld();
  world.Advance(absl::Minutes(57));
  CHECK(world.Settle().requeue_after == absl::Minutes(3));
}

TEST_CASE("ticket decide: a guardian of a claimed ticket is surplus", "[ticket][decide]") {
  PlanWorld world = ClaimedWorld();
  world.guardians()["web-0-g1"] = Running(MakeGuardian(world.ticket(), 1), "n1");
  world.Settle();
  CHECK(world.guardians().empty());
  CHECK(world.status().phase == TicketPhase::kClaimed);
}

TEST_CASE("ticket decide: during a handoff only surplus guardians are touched",
          "[ticket][decide]") {
  PlanWorld world = ReadyWorld();
  world.guardians()["web-0-g2"] = MakeGuardian(world.ticket(), 2);
  world.ticket().status.handoff = api::TicketHandoff{.id = "h",
                                                     .step = "Assigned",
                                                     .pod_uid = "uid-shop",
                                                     .guardian_uid = "uid-web-0-g1",
                                                     .node = "n1",
                                                     .started_at = kNow};
  const Plan plan = world.Turn();
  CHECK(plan.actions ==
        std::vector<Action>{DeleteGuardian{{"default", "web-0-g2"}, "uid-web-0-g2"}});
}

TEST_CASE("ticket decide: a spec that cannot be served is reported and left alone",
          "[ticket][decide]") {
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.resources.requests.clear();
  PlanWorld world(ticket);
  world.Settle();
  CHECK(world.status().reason == "InvalidSpec");
  CHECK(world.guardians().empty());
  CHECK(world.events() == Events{"InvalidSpec"});
}

TEST_CASE("ticket decide: without quota there is no guardian, and one message",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  const auto deny = [&](std::optional<absl::Time> change) {
    Plan plan = DecideDenied(world.Look(), "quota team: tickets: 3 of 3 used", change);
    world.Perform(plan);
    return plan;
  };
  const Plan first = deny({});
  CHECK(first.requeue_after == absl::Seconds(5));
  CHECK(first.events ==
        std::vector<EventNote>{{true, "QuotaDenied", "quota team: tickets: 3 of 3 used"}});
  CHECK(world.status().reason == "QuotaDenied");
  CHECK(world.status().message == "quota team: tickets: 3 of 3 used");
  world.Advance(absl::Seconds(5));
  CHECK(deny(world.now() + absl::Seconds(2)).requeue_after == absl::Seconds(2));
  CHECK(deny(world.now()).requeue_after == absl::Milliseconds(100));
  CHECK(world.status_writes() == 1);
  CHECK(world.events() == Events{"QuotaDenied"});
}

TEST_CASE("ticket decide: an unreachable quota-svc is told once, after a moment",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  const auto fail = [&](const char* words) {
    world.Perform(DecideQuotaUnavailable(world.Look(), words));
  };
  fail("refused");
  CHECK(world.status_writes() == 0);
  world.Advance(absl::Seconds(2));
  fail("refused");
  fail("reset");
  CHECK(world.status_writes() == 1);
  CHECK(world.status().reason == "QuotaUnavailable");
}

TEST_CASE("ticket decide: a guardian that the server refuses", "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  SECTION("for good") {
    world.Perform(DecideRefused(world.Look(), "spec: invalid", true));
    CHECK(world.status().phase == TicketPhase::kFailed);
  }
  SECTION("for now") {
    const Plan plan = DecideRefused(world.Look(), "exceeded quota", false);
    world.Perform(plan);
    CHECK(world.status().phase == TicketPhase::kPending);
    CHECK(plan.requeue_after == absl::Seconds(10));
    CHECK(plan.events == std::vector<EventNote>{{true, "GuardianRefused", "exceeded quota"}});
    CHECK(DecideRefused(world.Look(), "exceeded quota", false).events.empty());
  }
  CHECK(world.status().reason == "GuardianRefused");
}

TEST_CASE("ticket decide: a status that names an obstacle is put right once it is gone",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  world.Perform(DecideDenied(world.Look(), "denied", {}));
  world.Settle();  // Granted now; the guardian is made.
  CHECK(world.status().reason == "QuotaDenied");
  CHECK(world.Settle().requeue_after == absl::Seconds(2));
  world.Advance(absl::Seconds(2));
  world.Settle();
  CHECK(world.status().reason == "Creating");
}

TEST_CASE("ticket decide: up to 64 nodes of handoffs are stayed away from, more are waited for",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  for (int i = 0; i < 64; ++i) {
    world.busy_nodes().insert("busy-" + std::to_string(i));
  }
  CHECK(Decide(world.Look()).actions == std::vector<Action>{ConfirmCharge{}, CreateGuardian{1}});
  world.busy_nodes().insert("one-more");
  const Plan plan = Decide(world.Look());
  CHECK(plan.actions.empty());
  CHECK(plan.requeue_after == absl::Milliseconds(50));
}

TEST_CASE("ticket decide: a ticket whose guardian stepped aside is Unschedulable after a moment",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  Observed observed = world.Look();
  observed.hold_back = absl::Seconds(5);
  observed.now = kNow + absl::Milliseconds(1999);
  CHECK(Decide(observed).actions.empty());
  CHECK(Decide(observed).requeue_after == absl::Seconds(2));
  observed.now = kNow + absl::Seconds(2);
  world.Perform(Decide(observed));
  CHECK(world.status().reason == "Unschedulable");
  Observed told = world.Look();
  told.hold_back = absl::Seconds(1);
  told.now = kNow + absl::Minutes(1);
  CHECK(Decide(told).actions.empty());
  CHECK(Decide(told).requeue_after == absl::Seconds(1));
}

TEST_CASE("ticket decide: a guardian that stays away from handoffs is looked at every second",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  world.busy_nodes() = {"n1"};
  world.Settle();
  world.guardian("web-0-g1") = Refused(world.guardian("web-0-g1"), "0/1 nodes are available");
  CHECK(world.Settle().requeue_after == absl::Seconds(1));
  world.Advance(absl::Seconds(2));
  CHECK(world.Turn().requeue_after == absl::Seconds(1));
  CHECK(world.status().reason == "Unschedulable");
}

TEST_CASE("ticket decide: after a restart a pending guardian's charge is confirmed again, once",
          "[ticket][decide]") {
  PlanWorld world(MakeTicket("web-0"));
  world.Settle();
  world.Restart();
  world.Settle();
  CHECK(world.confirms() == 2);
  CHECK(world.guardians().size() == 1);
}

// Anything may have happened to the ticket, its guardians, its node.
PlanWorld AnyWorld(std::mt19937& random) {
  const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
  api::Ticket ticket = MakeTicket("web-0");
  if (chance(20)) {
    ticket.spec.duration.reset();
  }
  if (chance(20)) {
    ticket.spec.start_time = kNow + absl::Minutes(static_cast<int>(random() % 120) - 60);
  }
  if (chance(10)) {
    ticket.spec.node_name = "n1";
  }
  if (chance(60)) {
    ticket = Ready(ticket, "n1");
  }
  if (chance(10)) {
    ticket.metadata.deletion_timestamp = kNow;
  }
  PlanWorld world(ticket);
  for (int32_t i = 1; i <= 3; ++i) {
    if (!chance(40)) {
      continue;
    }
    api::Pod pod = MakeGuardian(ticket, i);
    if (chance(60)) {
      pod = Running(pod, chance(80) ? "n1" : "n9");
    } else if (chance(50)) {
      pod = Refused(pod, "no room");
    }
    if (chance(15)) {
      pod.status.phase = "Failed";
    }
    if (chance(10)) {
      pod.metadata.labels.clear();
    }
    world.guardians()[pod.metadata.name] = pod;
  }
  if (chance(20)) {
    world.Advance(absl::Minutes(static_cast<int>(random() % 120)));
  }
  return world;
}

TEST_CASE("ticket decide: whatever happened, it comes to rest with at most one guardian",
          "[ticket][decide][property]") {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    PlanWorld world = AnyWorld(random);
    const TicketPhase before = world.status().phase;
    CAPTURE(i, api::Name(before));
    world.Settle();
    REQUIRE(world.guardians().size() <= 1);
    const bool holds =
        !world.ticket().metadata.deleting() && world.status().phase == TicketPhase::kReady;
    if (holds) {
      REQUIRE(world.guardians().size() == 1);
      const api::Pod& guardian = world.guardians().begin()->second;
      REQUIRE(guardian.status.phase == api::kPodRunning);
      REQUIRE(guardian.spec.node_name == world.status().node_name);
    }
    if (api::IsFinished(world.status().phase)) {
      REQUIRE(world.guardians().empty());
    }
  }
}

TEST_CASE("ticket decide: the order in which guardians are seen does not matter",
          "[ticket][decide][property]") {
  std::mt19937 random(11);
  for (int i = 0; i < 1000; ++i) {
    const PlanWorld world = AnyWorld(random);
    Observed observed = world.Look();
    const Plan plan = Decide(observed);
    std::shuffle(observed.guardians.begin(), observed.guardians.end(), random);
    Plan other = Decide(observed);
    CAPTURE(i);
    REQUIRE(plan.actions.size() == other.actions.size());
    for (const Action& action : plan.actions) {
      REQUIRE(std::count(other.actions.begin(), other.actions.end(), action) == 1);
    }
    REQUIRE(plan.requeue_after == other.requeue_after);
  }
}

}  // namespace
}  // namespace korder::ticket
