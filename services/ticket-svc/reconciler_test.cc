#include "ticket-svc/reconciler.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "ticket-svc/testing/bench.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;
using Names = std::vector<std::string>;

TEST_CASE("ticket reconciler: a ticket costs two writes until it is Ready", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  api::Ticket ticket = MakeTicket("web-0");
  ticket.metadata.annotations["korder.dev/grant"] = "grant-7";
  bench.AddTicket(ticket);
  bench.Settle(service);
  CHECK(bench.Writes() == Names{"create pods", "update tickets/status"});
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  CHECK(bench.Ticket("web-0").status.node_name == "n1");
  CHECK(service.charges.times_asked == 1);
  CHECK(service.charges.last_reservation == "grant-7");
  service.TellEvents();
  CHECK(bench.EventsAbout("web-0") == Names{"GuardianCreated", "TicketReady"});
}

TEST_CASE("ticket reconciler: a guardian that the watch has not shown is not made again",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  service.Sync();
  service.Work();
  // Something else wakes the ticket before the guardian arrives by the watch.
  service.tickets.Enqueue({"default", "web-0"});
  service.Work();
  CHECK(bench.Writes() == Names{"create pods"});
}

TEST_CASE("ticket reconciler: a guardian made before a crash is taken over", "[ticket][shell]") {
  Bench bench;
  Service first(bench);
  bench.AddTicket(MakeTicket("web-0"));
  first.Sync();
  first.Work();
  Service second(bench);
  second.SyncTickets();  // Its watch of guardians is late.
  second.Work();
  CHECK(bench.Guardians() == Names{"web-0-g1"});
  bench.Settle(second);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  CHECK(bench.Guardians() == Names{"web-0-g1"});
}

TEST_CASE("ticket reconciler: a name that somebody else has taken is reported", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  api::Pod squatter = MakeClaimPod("web-0-g1");
  squatter.metadata.labels = {{"korder.dev/role", "guardian"}, {"korder.dev/ticket", "web-0"}};
  squatter.spec.scheduling_gates.clear();
  bench.AddPod(squatter);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const api::Ticket ticket = bench.Ticket("web-0");
  CHECK(ticket.status.phase == TicketPhase::kPending);
  CHECK(ticket.status.reason == "GuardianRefused");
  CHECK(bench.FindPod("web-0-g1").has_value());  // It is not ours to delete.

  bench.DeletePod("web-0-g1");
  bench.clock.Advance(absl::Seconds(10));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
}

TEST_CASE("ticket reconciler: a pod with a guardian's labels is left alone", "[ticket][shell]") {
  Bench bench;
  bench.AddNode("n2", 1);
  Service service(bench);
  api::Pod forged = MakeClaimPod("forged");
  forged.metadata.labels = {{"korder.dev/role", "guardian"}, {"korder.dev/ticket", "web-0"}};
  forged.spec.scheduling_gates.clear();
  bench.AddPod(forged);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.guardian_pod == "default/web-0-g1");
  bench.clock.Advance(absl::Hours(1));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.FindPod("forged").has_value());
}

TEST_CASE("ticket reconciler: without a confirmed charge there is no guardian", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  const auto reason = [&] { return bench.Ticket("web-0").status.reason; };
  SECTION("denied, then granted") {
    service.charges.mood = FakeCharges::Mood::kDenies;
    bench.AddTicket(MakeTicket("web-0"));
    bench.Settle(service);
    CHECK(reason() == "QuotaDenied");
    CHECK(bench.Ticket("web-0").status.message == "quota team: no");
    CHECK(bench.Guardians().empty());
    service.charges.mood = FakeCharges::Mood::kGrants;
    bench.clock.Advance(absl::Seconds(5));
  }
  SECTION("unreachable, then back") {
    service.charges.mood = FakeCharges::Mood::kUnreachable;
    bench.AddTicket(MakeTicket("web-0"));
    bench.Settle(service);
    CHECK(bench.Writes().empty());
    bench.clock.Advance(absl::Seconds(2));
    bench.Settle(service);
    CHECK(reason() == "QuotaUnavailable");
    CHECK(bench.Guardians().empty());
    service.charges.mood = FakeCharges::Mood::kGrants;
    bench.clock.Advance(absl::Seconds(1));
  }
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
}

TEST_CASE("ticket reconciler: a ticket made anew under an old name is charged anew",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  REQUIRE(bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());
  bench.AddTicket(MakeTicket("web-0"));
  // Somebody tries to save the charge by making the guardian himself.
  bench.AddPod(MakeGuardian(bench.Ticket("web-0"), 1));
  bench.Schedule();
  bench.RunPods();
  service.charges.mood = FakeCharges::Mood::kDenies;
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kPending);
  CHECK(bench.Ticket("web-0").status.reason == "QuotaDenied");
  CHECK(bench.Guardians().empty());
}

TEST_CASE("ticket reconciler: a pod that took the name of a guardian is not deleted in its place",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  bench.DeletePod("web-0-g1");
  bench.AddPod(MakeClaimPod("web-0-g1"));
  bench.clock.Advance(absl::Hours(1));
  service.Work();  // Its watches have not shown any of this.
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.FindPod("web-0-g1").has_value());
}

TEST_CASE("ticket reconciler: a lost guardian is replaced, and only then is the old one forgotten",
          "[ticket][shell]") {
  Bench bench;
  bench.AddNode("n2", 1);
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const api::Ticket before = bench.Ticket("web-0");
  SECTION("deleted") { bench.DeletePod("web-0-g1"); }
  SECTION("node gone") { bench.DropNode("n1"); }
  bench.Settle(service);
  const api::Ticket after = bench.Ticket("web-0");
  CHECK(after.status.phase == TicketPhase::kReady);
  CHECK(after.status.guardian_pod == "default/web-0-g2");
  CHECK(after.status.incarnation == 2);
  CHECK(after.status.expiration_time == before.status.expiration_time);
  CHECK(bench.Guardians() == Names{"web-0-g2"});
}

TEST_CASE("ticket reconciler: a loss is not believed of a watch that lags", "[ticket][shell]") {
  Bench bench;
  Service first(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(first);
  bench.ForgetWrites();
  // A new leader whose watch of guardians, and of nodes, has shown nothing yet.
  Service second(bench);
  second.SyncTickets();
  second.Work();
  CHECK(bench.Writes().empty());
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
}

TEST_CASE("ticket reconciler: a guardian that lost its label is replaced and deleted",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  REQUIRE(bench.admin
              .Patch<api::Pod>({"default", "web-0-g1"}, {},
                               R"({"metadata":{"labels":{"korder.dev/role":null}}})")
              .ok());
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.guardian_pod == "default/web-0-g2");
  CHECK_FALSE(bench.FindPod("web-0-g1").has_value());
}

TEST_CASE("ticket reconciler: a ticket expires in time, cleans up, and goes", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const absl::Time end = *bench.Ticket("web-0").status.expiration_time;
  bench.clock.Advance(end - bench.clock.Now() - absl::Milliseconds(1));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  CHECK(bench.Guardians() == Names{"web-0-g1"});
  bench.clock.Advance(absl::Milliseconds(1));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.Guardians().empty());
  bench.clock.Advance(absl::Seconds(300));
  bench.Settle(service);
  CHECK(absl::IsNotFound(bench.admin.Get<api::Ticket>({"default", "web-0"}).status()));
}

// For another hour.
void Renew(Bench& bench, const char* duration = "2h") {
  REQUIRE(bench.admin
              .Patch<api::Ticket>({"default", "web-0"}, {},
                                  absl::StrCat(R"({"spec":{"duration":")", duration, R"("}})"))
              .ok());
  bench.ForgetWrites();  // That was not the service.
}

TEST_CASE("ticket reconciler: a renewal asks for what is still to come and costs one write",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const absl::Time end = *bench.Ticket("web-0").status.expiration_time;
  bench.clock.Advance(absl::Minutes(50));
  bench.Settle(service);
  const int asked = service.charges.times_asked;
  Renew(bench);
  bench.Settle(service);
  CHECK(bench.Writes() == Names{"update tickets/status"});
  CHECK(service.charges.times_asked == asked + 1);
  CHECK(service.charges.last_claim.duration == absl::Hours(2));
  CHECK(service.charges.last_claim.remaining == end + absl::Hours(1) - bench.clock.Now());
  CHECK(service.charges.last_at_most == end - bench.clock.Now());
  CHECK(bench.Ticket("web-0").status.expiration_time == end + absl::Hours(1));
  service.TellEvents();
  CHECK(bench.EventsAbout("web-0") == Names{"GuardianCreated", "TicketReady", "TicketRenewed"});

  // Its next guardian is for the window that was granted, not for a new one.
  bench.DeletePod("web-0-g1");
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.guardian_pod == "default/web-0-g2");
  CHECK(service.charges.last_claim.duration == absl::Hours(2));
  CHECK(service.charges.last_claim.remaining == std::nullopt);
}

TEST_CASE("ticket reconciler: a denied renewal is told once, and the ticket ends as it would have",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const absl::Time end = *bench.Ticket("web-0").status.expiration_time;
  bench.clock.Advance(absl::Minutes(30));
  bench.Settle(service);
  const int asked = service.charges.times_asked;
  service.charges.mood = FakeCharges::Mood::kDenies;
  Renew(bench);
  bench.Settle(service);
  CHECK(service.charges.times_asked == asked + 1);
  service.wake_ups.Everything();  // No reason to ask again.
  bench.Settle(service);
  CHECK(service.charges.times_asked == asked + 1);
  bench.clock.Advance(absl::Seconds(30));
  bench.Settle(service);
  CHECK(service.charges.times_asked == asked + 2);
  service.TellEvents();
  CHECK(bench.EventsAbout("web-0") == Names{"GuardianCreated", "QuotaDenied", "TicketReady"});
  CHECK(bench.Writes().empty());

  SECTION("it is asked for when the limits change") {
    service.charges.next_change = bench.clock.Now() + absl::Seconds(31);
    bench.clock.Advance(absl::Seconds(30));
    bench.Settle(service);
    service.charges.mood = FakeCharges::Mood::kGrants;
    bench.clock.Advance(absl::Seconds(1));
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.expiration_time == end + absl::Hours(1));
    return;
  }
  bench.clock.Advance(end - bench.clock.Now());
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.Ticket("web-0").status.finished_time == end);
}

TEST_CASE("ticket reconciler: a renewal that nobody answers is asked for again, until the end",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const absl::Time end = *bench.Ticket("web-0").status.expiration_time;
  service.charges.mood = FakeCharges::Mood::kUnreachable;
  Renew(bench);
  bench.Settle(service);
  const int asked = service.charges.times_asked;
  bench.clock.Advance(absl::Seconds(1));
  bench.Settle(service);
  CHECK(service.charges.times_asked == asked + 1);
  SECTION("then it is granted") {
    service.charges.mood = FakeCharges::Mood::kGrants;
    bench.clock.Advance(absl::Seconds(1));
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.expiration_time == end + absl::Hours(1));
  }
  SECTION("then the window is over") {
    bench.clock.Advance(end - bench.clock.Now());
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  }
  service.TellEvents();
  CHECK_THAT(bench.EventsAbout("web-0"), !Catch::VectorContains(std::string("QuotaDenied")));
}

TEST_CASE("ticket reconciler: an answer that comes after the end renews nothing",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  const absl::Time end = *bench.Ticket("web-0").status.expiration_time;
  bench.clock.Advance(end - bench.clock.Now() - absl::Seconds(2));
  bench.Settle(service);
  service.charges.meanwhile = [&bench] { bench.clock.Advance(absl::Seconds(2)); };
  Renew(bench);
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.Ticket("web-0").status.expiration_time == end);
}

TEST_CASE("ticket reconciler: a ticket that waits for an answer ends in time", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  api::Ticket ticket = MakeTicket("web-0");
  ticket.spec.start_time = bench.clock.Now() - absl::Hours(1) + absl::Seconds(2);
  bench.AddTicket(ticket);
  service.charges.meanwhile = [&] { bench.clock.Advance(service.charges.last_at_most); };
  SECTION("that does not come") { service.charges.mood = FakeCharges::Mood::kUnreachable; }
  SECTION("that comes too late") {}
  bench.Settle(service);
  CHECK(service.charges.last_at_most == absl::Seconds(2));
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
  CHECK(bench.Writes() == Names{"update tickets/status"});
}

TEST_CASE("ticket reconciler: a longer window does not hold up the loss of a guardian",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  service.charges.mood = FakeCharges::Mood::kDenies;
  Renew(bench);
  bench.DeletePod("web-0-g1");
  bench.Settle(service);
  // Neither was granted: not the longer window, not the guardian.
  CHECK(bench.Ticket("web-0").status.reason == "QuotaDenied");
  service.charges.mood = FakeCharges::Mood::kGrants;
  bench.clock.Advance(absl::Seconds(30));
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  CHECK(bench.Ticket("web-0").status.guardian_pod == "default/web-0-g2");
}

TEST_CASE("ticket reconciler: a duration that changes before the window is charged anew",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  service.Sync();
  service.Work();
  CHECK(service.charges.times_asked == 1);
  Renew(bench);
  bench.Settle(service);
  CHECK(service.charges.times_asked == 2);
  CHECK(service.charges.last_claim.duration == absl::Hours(2));
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
}

TEST_CASE("ticket reconciler: a clock that was set forward expires tickets when told so",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  bench.clock.StepWall(absl::Hours(2));
  service.wake_ups.Everything();
  bench.Settle(service);
  CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kExpired);
}

TEST_CASE("ticket reconciler: writes that are lost, refused or doubled change nothing in the end",
          "[ticket][shell]") {
  struct Case {
    const char* name;
    void (*inject)(kube::FakeApiServer&);
  };
  const Case cases[] = {
      {"guardian: request lost", [](auto& s) { s.LoseNextRequest("create", "pods"); }},
      {"guardian: answer lost", [](auto& s) { s.LoseNextResponse("create", "pods"); }},
      {"guardian: request doubled", [](auto& s) { s.DuplicateNext("create", "pods"); }},
      {"guardian: server in trouble", [](auto& s) { s.FailNext("create", "pods", 503); }},
      {"status: request lost", [](auto& s) { s.LoseNextRequest("update", "tickets/status"); }},
      {"status: answer lost", [](auto& s) { s.LoseNextResponse("update", "tickets/status"); }},
      {"status: request doubled", [](auto& s) { s.DuplicateNext("update", "tickets/status"); }},
      {"status: conflict", [](auto& s) { s.FailNext("update", "tickets/status", 409); }},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Bench bench;
      Service service(bench);
      bench.AddTicket(MakeTicket("web-0"));
      c.inject(bench.server);
      for (int i = 0; i < 4; ++i) {
        bench.Settle(service);
        bench.clock.Advance(absl::Seconds(5));  // Back-off.
      }
      CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
      CHECK(bench.Guardians() == Names{"web-0-g1"});
    }
  }
}

TEST_CASE("ticket reconciler: a refusal for good fails the ticket, another one waits",
          "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  SECTION("422") {
    bench.server.FailNext("create", "pods", 422);
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kFailed);
  }
  SECTION("403") {
    // Twice: writing the status wakes the ticket.
    bench.server.FailNext("create", "pods", 403, 2);
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.reason == "GuardianRefused");
    bench.clock.Advance(absl::Seconds(10));
    bench.Settle(service);
    CHECK(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
  }
}

TEST_CASE("ticket reconciler: with its ticket a guardian goes", "[ticket][shell]") {
  Bench bench;
  Service service(bench);
  bench.AddTicket(MakeTicket("web-0"));
  bench.Settle(service);
  REQUIRE(bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());
  bench.Settle(service);
  CHECK(bench.Guardians().empty());
}

}  // namespace
}  // namespace korder::ticket
