// Pods that wait for a ticket, against an API server in memory. Whole claims are in
// handoff_test.cc.
#include "ticket-svc/claim_reconciler.h"

#include <catch2/catch.hpp>

#include "ticket-svc/testing/bench.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;
using Names = std::vector<std::string>;

TEST_CASE("claims: a pod without a ticket goes on after its time, and is told before",
          "[claim][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddPod(MakeClaimPod("shop"));
  bench.clock.Advance(absl::Milliseconds(29999));
  bench.Settle(service);
  CHECK(api::HasGate(bench.Pod("shop"), "korder.dev/claim"));
  bench.clock.Advance(absl::Milliseconds(1));
  bench.Settle(service);
  const api::Pod pod = bench.Pod("shop");
  CHECK(pod.spec.node_name == "n1");
  CHECK(pod.metadata.labels.at("korder.dev/claim") == "fallback");
  CHECK(pod.metadata.annotations.at("korder.dev/claim-result") == "fallback");
  service.TellEvents();
  CHECK(bench.EventsAbout("shop") == Names{"TicketFallback", "WaitingForTicket"});
  CHECK(bench.Writes() == Names{"patch pods"});
}

TEST_CASE("claims: a pod that wants to wait waits, and gets the ticket when there is one",
          "[claim][shell]") {
  Bench bench;
  Service service(bench);
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/fallback"] = "wait";
  bench.AddPod(pod);
  bench.Settle(service);
  bench.clock.Advance(absl::Hours(5));
  service.wake_ups.Everything();
  bench.Settle(service);
  service.TellEvents();
  CHECK(bench.EventsAbout("shop") == Names{"WaitingForTicket"});  // Told once.
  CHECK(api::HasGate(bench.Pod("shop"), "korder.dev/claim"));
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  CHECK(bench.Pod("shop").spec.node_name == "n1");
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kClaimed);
}

TEST_CASE("claims: a pod that waits for a window gets the ticket when it opens, by itself",
          "[claim][shell]") {
  Bench bench;
  Service service(bench);
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = bench.clock.Now() + absl::Minutes(20);
  ticket.metadata.annotations["korder.dev/lead-time"] = "10m";
  bench.AddTicket(ticket);
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/fallback"] = "wait";
  bench.AddPod(pod);
  bench.Settle(service);
  CHECK(bench.Guardians().empty());
  bench.clock.Advance(absl::Minutes(10));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  bench.clock.Advance(absl::Minutes(10) - absl::Milliseconds(1));
  bench.Settle(service);
  CHECK(api::HasGate(bench.Pod("shop"), "korder.dev/claim"));
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  bench.clock.Advance(absl::Milliseconds(1));
  bench.Settle(service);
  CHECK(bench.Pod("shop").spec.node_name == "n1");
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kClaimed);
}

TEST_CASE("claims: a ticket in its last seconds can be had once its window is made longer",
          "[claim][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  bench.clock.Advance(absl::Hours(1) - absl::Seconds(3));
  bench.Settle(service);
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/fallback"] = "wait";
  bench.AddPod(pod);
  bench.Settle(service);
  CHECK(api::HasGate(bench.Pod("shop"), "korder.dev/claim"));
  REQUIRE(bench.admin.Patch<api::Ticket>({"default", "web-0"}, {}, R"({"spec":{"duration":"2h"}})")
              .ok());
  bench.Settle(service);
  CHECK(bench.Pod("shop").spec.node_name == "n1");
}

TEST_CASE("claims: a pod whose promise got no answer is not promised another ticket as well",
          "[claim][shell]") {
  Bench bench;
  bench.AddNode("n2", 1);
  Service service(bench);
  Service other(bench);
  bench.AddTicket(MakeTicket("web-1"));
  bench.Settle(other);
  service.Sync();
  service.Work();
  // The better one of the two, and its guardian is seen only later.
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(other);
  service.SyncTickets();
  REQUIRE(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  REQUIRE(bench.Ticket("web-1").status.phase == TicketPhase::kReady);

  const auto claimed = [&] {
    int count = 0;
    for (const char* name : {"web-0", "web-1"}) {
      count += bench.Ticket(name).status.claimed_pod.empty() ? 0 : 1;
    }
    return count;
  };
  bench.AddPod(MakeClaimPod("shop"));
  SECTION("the ticket's watch is late") {
    bench.server.LoseNextResponse("update", "tickets/status");
  }
  SECTION("the request never arrived") { bench.server.LoseNextRequest("update", "tickets/status"); }
  service.SyncNodes();
  service.SyncClaimPods();
  service.Work();
  service.SyncGuardians();
  for (int i = 0; i < 10; ++i) {
    service.Work();
    bench.clock.Advance(absl::Milliseconds(100));
  }
  CHECK(claimed() == 1);
  bench.Settle(service);
  CHECK(claimed() == 1);
  CHECK_FALSE(bench.Pod("shop").spec.node_name.empty());
}

TEST_CASE("claims: a pod gets a ticket that was seen Ready before its guardian was seen to run",
          "[claim][shell]") {
  Bench bench;
  Service service(bench);
  Service other(bench);
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/fallback"] = "wait";
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(other);
  REQUIRE(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  bench.AddPod(pod);
  // Two watches: nobody says which is faster.
  service.SyncNodes();
  service.SyncClaimPods();
  service.SyncTickets();
  service.Work();
  REQUIRE(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  bench.Settle(service);
  CHECK(bench.Pod("shop").spec.node_name == "n1");
}

}  // namespace
}  // namespace korder::ticket
