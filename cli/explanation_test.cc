#include "cli/explanation.h"

#include <catch2/catch.hpp>

#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "cli/testing.h"

namespace korder::cli {
namespace {

api::Pod Asking() {
  api::Pod pod;
  pod.metadata.ns = "shop";
  pod.metadata.name = "web-1";
  pod.metadata.creation_timestamp = kNow - absl::Minutes(2);
  pod.metadata.annotations = {{"korder.dev/required", "true"},
                              {"korder.dev/order", "web"},
                              {"korder.dev/fallback", "wait"}};
  pod.metadata.labels = {{"korder.dev/claim", "pending"}};
  pod.spec.scheduling_gates = {{std::string(api::kGateClaim)}};
  pod.spec.containers.emplace_back().resources.requests = {{"cpu", *api::Quantity::Parse("500m")}};
  return pod;
}

api::Ticket Ticket(api::TicketPhase phase) {
  api::Ticket ticket;
  ticket.metadata.ns = "shop";
  ticket.metadata.name = "web-7";
  ticket.spec.resources.requests = {{"cpu", *api::Quantity::Parse("500m")}};
  ticket.status.phase = phase;
  ticket.status.node_name = "n1";
  ticket.status.guardian_pod = "shop/web-7-g1";
  return ticket;
}

Style Plain(Format format = Format::kTable) { return {.format = format}; }

TEST_CASE("explain: a pod that waits says for what, why, and what would help", "[explain]") {
  PodFacts facts{.pod = Asking(), .now = kNow};
  facts.offer = Offer{.why = "none of 2 Ready tickets fits", .help = {"an Order with more cpu"}};
  const Explanation e = ExplainPod(facts);
  CHECK(e.state == "Waiting");
  CHECK(e.waits_for ==
        "a ticket of order web that holds 500m cpu, for 2m; waits until there is one");
  CHECK(e.why == "none of 2 Ready tickets fits");
  CHECK(Render(e, kNow, Plain()) ==
        "Pod web-1 in namespace shop\n"
        "  state        Waiting\n"
        "  waits for    a ticket of order web that holds 500m cpu, for 2m; waits until there is "
        "one\n"
        "  why          none of 2 Ready tickets fits\n"
        "  would help   an Order with more cpu\n");
}

TEST_CASE("explain: a pod's states", "[explain]") {
  struct Case {
    const char* name;
    void (*arrange)(PodFacts&);
    const char* state;
    const char* says;  // somewhere in the text
  };
  const Case cases[] = {
      {"a ticket fits", [](PodFacts& f) { f.offer = Offer{.ticket = "web-7", .node = "n1"}; },
       "Waiting", "ticket web-7 on node n1 fits"},
      {"nobody knows", [](PodFacts& f) { f.offer_problem = "ticket-svc is not there"; }, "Waiting",
       "ticket-svc is not there"},
      {"it goes on without one soon",
       [](PodFacts& f) {
         f.pod.metadata.annotations["korder.dev/fallback"] = "schedule";
         f.pod.metadata.annotations["korder.dev/claim-timeout"] = "3m";
       },
       "Waiting", "goes on without one in 1m"},
      {"in a handoff",
       [](PodFacts& f) {
         f.pod.metadata.annotations["korder.dev/handoff"] = "h1";
         f.pod.metadata.annotations["korder.dev/claimed-ticket"] = "web-7";
         f.ticket = Ticket(api::TicketPhase::kClaimed);
         f.ticket->status.handoff =
             api::TicketHandoff{.id = "h1", .node = "n1", .started_at = kNow - absl::Seconds(3)};
       },
       "HandingOver", "the room of ticket web-7 on node n1"},
      {"claimed, not bound",
       [](PodFacts& f) {
         f.pod.spec.scheduling_gates.clear();
         f.pod.status.nominated_node_name = "n1";
         f.pod.metadata.annotations["korder.dev/claim-result"] = "claimed";
       },
       "Scheduling", "to bind it to node n1"},
      {"claimed",
       [](PodFacts& f) {
         f.pod.spec.scheduling_gates.clear();
         f.pod.spec.node_name = "n1";
         f.pod.metadata.annotations["korder.dev/claim-result"] = "claimed";
         f.pod.metadata.annotations["korder.dev/claimed-ticket"] = "web-7";
         f.ticket = Ticket(api::TicketPhase::kClaimed);
       },
       "Running", "the room of ticket web-7 on node n1"},
      {"fell back",
       [](PodFacts& f) {
         f.pod.spec.scheduling_gates.clear();
         f.pod.spec.node_name = "n2";
         f.pod.metadata.annotations["korder.dev/claim-result"] = "fallback";
       },
       "Running", "no ticket came in time"},
      {"never asked",
       [](PodFacts& f) {
         f.pod.spec.scheduling_gates.clear();
         f.pod.metadata.annotations.clear();
       },
       "Scheduling", "does not ask korder"},
      {"asked, and was not seen", [](PodFacts& f) { f.pod.spec.scheduling_gates.clear(); },
       "Scheduling", "korder did not see it"},
      {"being deleted", [](PodFacts& f) { f.pod.metadata.deletion_timestamp = kNow; }, "Deleting",
       "being deleted"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      PodFacts facts{.pod = Asking(), .now = kNow};
      c.arrange(facts);
      const Explanation e = ExplainPod(facts);
      CHECK(e.state == c.state);
      CHECK_THAT(Render(e, kNow, Plain()), Catch::Contains(c.says));
    }
  }
}

TEST_CASE("explain: a ticket's states", "[explain]") {
  struct Case {
    const char* name;
    api::TicketPhase phase;
    void (*arrange)(TicketFacts&);
    const char* state;
    const char* says;
  };
  const Case cases[] = {
      {"no quota", api::TicketPhase::kPending,
       [](TicketFacts& f) {
         f.ticket.status.reason = std::string(api::kReasonQuotaDenied);
         f.ticket.status.message = "quota team: tickets: 3 of 3 used";
       },
       "Pending", "korderctl quota usage -n shop"},
      {"no room", api::TicketPhase::kPending,
       [](TicketFacts& f) {
         f.guardian.emplace().metadata.name = "web-7-g1";
         f.ticket.status.reason = std::string(api::kReasonUnschedulable);
         f.ticket.status.message = "0/3 nodes are available: 3 Insufficient cpu.";
       },
       "Pending", "0/3 nodes are available"},
      {"Ready", api::TicketPhase::kReady, [](TicketFacts&) {}, "Ready",
       "500m cpu on node n1, by guardian web-7-g1"},
      {"passing on", api::TicketPhase::kClaimed,
       [](TicketFacts& f) {
         f.ticket.status.claimed_pod = "shop/web-1";
         f.ticket.status.handoff = api::TicketHandoff{.id = "h1", .node = "n1", .started_at = kNow};
       },
       "HandingOver", "pod web-1 to be bound to node n1"},
      {"claimed", api::TicketPhase::kClaimed,
       [](TicketFacts& f) { f.ticket.status.claimed_pod = "shop/web-1"; }, "Claimed",
       "its room on node n1 is pod web-1's"},
      {"over", api::TicketPhase::kExpired,
       [](TicketFacts& f) { f.ticket.status.reason = "WindowOver"; }, "Expired",
       "nothing any more"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      TicketFacts facts{.ticket = Ticket(c.phase), .now = kNow};
      c.arrange(facts);
      const Explanation e = ExplainTicket(facts);
      CHECK(e.state == c.state);
      CHECK_THAT(Render(e, kNow, Plain()), Catch::Contains(c.says));
    }
  }
}

TEST_CASE("explain: events in their order, and JSON for programs", "[explain]") {
  TicketFacts facts{.ticket = Ticket(api::TicketPhase::kReady), .now = kNow};
  for (const int seconds : {5, 60}) {
    api::Event& event = facts.events.emplace_back();
    event.reason = seconds == 5 ? "TicketReady" : "GuardianCreated";
    event.message = "said so";
    event.last_timestamp = kNow - absl::Seconds(seconds);
  }
  api::Event& newer_kind = facts.events.emplace_back();
  newer_kind.reason = "Scheduled";
  newer_kind.message = "to a node";
  newer_kind.event_time = {kNow - absl::Seconds(30)};
  const Explanation e = ExplainTicket(facts);
  CHECK_THAT(Render(e, kNow, Plain()),
             Catch::Contains("  events       1m ago     GuardianCreated: said so\n"
                             "               30s ago    Scheduled: to a node\n"
                             "               5s ago     TicketReady: said so\n"));
  CHECK_THAT(
      Render(e, kNow, Plain(Format::kJson)),
      Catch::Contains("\"state\": \"Ready\"") && Catch::Contains("\"reason\": \"TicketReady\""));
}

}  // namespace
}  // namespace korder::cli
