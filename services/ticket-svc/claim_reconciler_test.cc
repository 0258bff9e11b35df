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

}  // namespace
}  // namespace korder::ticket
