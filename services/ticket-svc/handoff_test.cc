// Whole claims against an API server in memory, with a scheduler that honours nominations and pods
// that wait to take every room that is free for an instant.
#include <map>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "ticket-svc/handoff_batch.h"
#include "ticket-svc/testing/bench.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;
using Names = std::vector<std::string>;

// The writes of a claim, in their order.
const Names kClaimWrites = {"update tickets/status", "patch pods/status", "delete pods",
                            "patch pods", "update tickets/status"};

// A Ready ticket on a node that is full, and thieves that wait for half a core.
struct Stage {
  explicit Stage(int tickets = 1) {
    api::Pod filler = MakeClaimPod("filler");
    filler.metadata.labels.clear();
    filler.spec.scheduling_gates.clear();
    bench.AddPod(filler);
    for (int i = 0; i < tickets; ++i) {
      bench.AddTicket(MakeTicket("web-" + std::to_string(i)));
    }
    bench.Settle(service);
    bench.AddThieves(3);
    bench.Settle(service);
    REQUIRE(bench.Ticket("web-0").status.phase == TicketPhase::kReady);
    REQUIRE(bench.LuckyThieves().empty());
    bench.ForgetWrites();
  }

  void AddClaimPod(const std::string& name = "shop") { bench.AddPod(MakeClaimPod(name)); }
  // Lets time pass until nothing more happens, for whoever works.
  void Finish(Service& worker) {
    for (int i = 0; i < 6; ++i) {
      bench.Settle(worker);
      bench.clock.Advance(absl::Seconds(3));
    }
    bench.Settle(worker);
  }
  // The pod has exactly the ticket's room, and nothing is left over.
  void CheckClaimed(const std::string& pod = "shop") {
    const api::Pod claimed = bench.Pod(pod);
    CHECK(claimed.spec.node_name == "n1");
    CHECK(claimed.metadata.labels.at("korder.dev/claim") == "claimed");
    CHECK(claimed.metadata.annotations.at("korder.dev/claimed-ticket") == "web-0");
    CHECK(claimed.metadata.annotations.at("korder.dev/claim-result") == "claimed");
    CHECK_FALSE(claimed.metadata.annotations.contains("korder.dev/handoff"));
    const api::TicketStatus status = bench.Ticket("web-0").status;
    CHECK(status.phase == TicketPhase::kClaimed);
    CHECK(status.claimed_pod_uid == claimed.metadata.uid);
    CHECK_FALSE(status.handoff);
    CHECK(bench.Guardians().empty());
    CHECK(bench.LuckyThieves().empty());
  }
  // As if the pod had never asked.
  void CheckReady() {
    const api::TicketStatus status = bench.Ticket("web-0").status;
    CHECK(status.phase == TicketPhase::kReady);
    CHECK_FALSE(status.handoff);
    CHECK(status.claimed_pod.empty());
    CHECK(bench.Guardians().size() == 1);
    CHECK(bench.LuckyThieves().empty());
  }

  // The room is lost: the new guardian is in the queue behind the thieves.
  void CheckHealing() {
    const api::TicketStatus status = bench.Ticket("web-0").status;
    CHECK(status.phase == TicketPhase::kPending);
    CHECK_FALSE(status.handoff);
    CHECK(status.claimed_pod.empty());
    CHECK(bench.Guardians() == Names{"web-0-g2"});
    CHECK(bench.LuckyThieves() == Names{"thief-0"});
  }

  Bench bench;
  Service service{bench};
};

TEST_CASE("handoff: a pod gets the ticket's room by five writes", "[handoff][shell]") {
  Stage s;
  s.AddClaimPod();
  s.bench.Settle(s.service);
  CHECK(s.bench.Writes() == kClaimWrites);
  s.CheckClaimed();
  const api::TicketStatus status = s.bench.Ticket("web-0").status;
  CHECK(status.utilization_rate == "1.00");
  CHECK(status.claimed_time.has_value());
  s.service.TellEvents();
  CHECK(s.bench.EventsAbout("shop") == Names{"HandoffStarted", "TicketClaimed"});
  CHECK(s.bench.EventsAbout("web-0") == Names{"GuardianCreated", "GuardianReleased",
                                              "HandoffStarted", "TicketClaimed", "TicketReady"});
}

TEST_CASE("handoff: when the pod ends, its ticket is completed", "[handoff][shell]") {
  Stage s;
  s.AddClaimPod();
  s.bench.Settle(s.service);
  s.bench.DeletePod("shop");
  s.bench.Settle(s.service);
  CHECK(s.bench.Ticket("web-0").status.phase == TicketPhase::kCompleted);
  CHECK(s.bench.LuckyThieves().size() == 1);  // The room is anybody's now.
}

TEST_CASE("handoff: a new pod of the claimed pod's name does not keep the ticket claimed",
          "[handoff][shell]") {
  Stage s;
  s.AddClaimPod();
  s.bench.Settle(s.service);
  s.bench.DeletePod("shop");
  api::Pod other = MakeClaimPod("shop");
  other.metadata.labels.clear();
  other.spec.scheduling_gates.clear();
  s.bench.AddPod(other);
  s.bench.Settle(s.service);
  CHECK(s.bench.Ticket("web-0").status.phase == TicketPhase::kCompleted);
}

TEST_CASE("handoff: whoever comes after a crash at any write goes on to the same end",
          "[handoff][shell][crash]") {
  for (size_t write = 0; write < kClaimWrites.size(); ++write) {
    for (const Moment moment : {Moment::kBefore, Moment::kAfter}) {
      DYNAMIC_SECTION((moment == Moment::kBefore ? "before " : "after ")
                      << write << ": " << kClaimWrites[write]) {
        Stage s;
        s.service.transport.DieAt(static_cast<int>(write), moment);
        s.AddClaimPod();
        s.bench.Settle(s.service);
        REQUIRE(s.service.dead());
        // The scheduler goes on meanwhile, and may take what it thinks is free.
        s.bench.clock.Advance(absl::Seconds(2));
        s.bench.Schedule();
        s.bench.RunPods();
        CHECK(s.bench.LuckyThieves().empty());

        Service successor(s.bench);
        s.Finish(successor);
        s.CheckClaimed();
      }
    }
  }
}

// A process that was killed right after it nominated the pod.
struct Nominated : Stage {
  Nominated() {
    service.transport.DieAt(1, Moment::kAfter);
    AddClaimPod();
    bench.Settle(service);
    REQUIRE(service.dead());
    REQUIRE(bench.Pod("shop").status.nominated_node_name == "n1");
    bench.ForgetWrites();
  }
};

TEST_CASE("handoff: a new leader does not give up because its watch of pods lags",
          "[handoff][shell][crash]") {
  Nominated s;
  Service successor(s.bench);
  successor.SyncNodes();
  successor.SyncGuardians();
  successor.SyncTickets();
  successor.Work();
  s.Finish(successor);
  // It cannot know what the scheduler has been through, and nominates once more.
  CHECK(s.bench.Writes() ==
        Names{"patch pods/status", "delete pods", "patch pods", "update tickets/status"});
  s.CheckClaimed();
}

TEST_CASE("handoff: a new leader does not undo a nomination because its watch of tickets lags",
          "[handoff][shell][crash]") {
  Nominated s;
  Service successor(s.bench);
  successor.SyncNodes();
  successor.SyncGuardians();
  successor.SyncClaimPods();
  successor.Work();
  CHECK(s.bench.Writes().empty());
  s.Finish(successor);
  s.CheckClaimed();
}

TEST_CASE("handoff: every write may be lost, doubled or refused", "[handoff][shell][crash]") {
  const char* kinds[][2] = {{"update", "tickets/status"},
                            {"patch", "pods/status"},
                            {"delete", "pods"},
                            {"patch", "pods"},
                            {"get", "pods"}};
  for (const auto& kind : kinds) {
    for (const char* fault : {"request lost", "answer lost", "doubled", "conflict", "trouble"}) {
      DYNAMIC_SECTION(kind[0] << " " << kind[1] << ": " << fault) {
        Stage s;
        kube::FakeApiServer& server = s.bench.server;
        s.AddClaimPod();
        const std::string what = fault;
        if (what == "request lost") {
          server.LoseNextRequest(kind[0], kind[1]);
        } else if (what == "answer lost") {
          server.LoseNextResponse(kind[0], kind[1]);
        } else if (what == "doubled") {
          server.DuplicateNext(kind[0], kind[1]);
        } else {
          server.FailNext(kind[0], kind[1], what == "conflict" ? 409 : 500);
        }
        s.service.Sync();
        s.service.Work();
        s.Finish(s.service);
        s.CheckClaimed();
      }
    }
  }
}

// Calls `act` once, right after the n-th write of the service.
void AfterWrite(Bench& bench, size_t write, std::function<void()> act) {
  const auto count = std::make_shared<size_t>(0);
  bench.server.OnWrite(
      {.before = {}, .after = [&bench, count, write, act](const kube::ServedCall& call) {
         if (IsWork(call) && !bench.acting() && (*count)++ == write) {
           act();
         }
       }});
}

TEST_CASE("handoff: a pod deleted at any moment gives the room back, or its ticket heals",
          "[handoff][shell][crash]") {
  for (size_t write = 0; write + 1 < kClaimWrites.size(); ++write) {
    DYNAMIC_SECTION("after " << write << ": " << kClaimWrites[write]) {
      Stage s;
      AfterWrite(s.bench, write, [&] { s.bench.DeletePod("shop"); });
      s.AddClaimPod();
      s.Finish(s.service);
      if (write < 2) {
        s.CheckReady();
        CHECK(s.bench.Guardians() == Names{"web-0-g1"});
      } else {
        s.CheckHealing();
      }
    }
  }
}

TEST_CASE("handoff: a guardian deleted from outside after the nomination is no harm",
          "[handoff][shell][crash]") {
  Stage s;
  AfterWrite(s.bench, 1, [&] { s.bench.DeletePod("web-0-g1"); });
  s.AddClaimPod();
  s.Finish(s.service);
  s.CheckClaimed();
}

TEST_CASE("handoff: a guardian deleted from outside before the nomination costs the room",
          "[handoff][shell][crash]") {
  Stage s;
  AfterWrite(s.bench, 0, [&] {
    s.bench.DeletePod("web-0-g1");
    s.service.SyncGuardians();
  });
  s.AddClaimPod();
  s.Finish(s.service);
  s.CheckHealing();
  const api::Pod pod = s.bench.Pod("shop");
  CHECK(api::HasGate(pod, "korder.dev/claim"));  // It waits for the ticket, or another one.
  CHECK(pod.status.nominated_node_name.empty());
}

TEST_CASE("handoff: a nomination that a preemptor clears is made again before the release",
          "[handoff][shell]") {
  Stage s;
  AfterWrite(s.bench, 1, [&] {
    REQUIRE(s.bench.admin
                .Patch<api::Pod>({"default", "shop"}, {.subresource = "status"},
                                 R"({"status":{"nominatedNodeName":null}})")
                .ok());
  });
  // While the nomination is gone, the guardian must be there.
  bool released_unguarded = false;
  s.AddClaimPod();
  s.service.Sync();
  s.service.Work();
  released_unguarded = !s.bench.FindPod("web-0-g1") &&
                       s.bench.Pod("shop").status.nominated_node_name.empty() &&
                       !api::IsBound(s.bench.Pod("shop"));
  CHECK_FALSE(released_unguarded);
  s.Finish(s.service);
  s.CheckClaimed();
  const Names writes = s.bench.Writes();
  const auto nominations = std::count(writes.begin(), writes.end(), "patch pods/status");
  CHECK(nominations >= 2);
}

TEST_CASE("handoff: a nomination cleared after the release is made again before the gate opens",
          "[handoff][shell]") {
  Stage s;
  AfterWrite(s.bench, 2, [&] {
    REQUIRE(s.bench.admin
                .Patch<api::Pod>({"default", "shop"}, {.subresource = "status"},
                                 R"({"status":{"nominatedNodeName":null}})")
                .ok());
  });
  s.AddClaimPod();
  s.Finish(s.service);
  s.CheckClaimed();
}

TEST_CASE("handoff: of two leaders that promise one ticket to two pods, one wins",
          "[handoff][shell]") {
  Stage s;
  Service other(s.bench);
  other.Sync();
  other.Work();
  s.AddClaimPod("first");
  s.AddClaimPod("second");
  // Each leader has seen one of the pods only.
  s.bench.server.OnWrite({});
  const auto promise = [&](Service& leader, const std::string& pod) {
    const std::vector<Room> rooms = leader.world.Rooms("default");
    REQUIRE(rooms.size() == 1);
    api::Ticket updated = Whole(*rooms[0].ticket);
    updated.status = AssignedStatus(*rooms[0].ticket, s.bench.Pod(pod),
                                    {.id = "by-" + pod,
                                     .step = "Assigned",
                                     .pod_uid = s.bench.Pod(pod).metadata.uid,
                                     .guardian_uid = rooms[0].guardian->metadata.uid,
                                     .node = "n1",
                                     .started_at = s.bench.clock.Now()},
                                    s.bench.clock.Now());
    return leader.client.Update(updated, "status").status();
  };
  CHECK(promise(s.service, "first").ok());
  CHECK(absl::IsAborted(promise(other, "second")));
  s.Finish(other);
  s.CheckClaimed("first");
  CHECK_FALSE(api::IsBound(s.bench.Pod("second")));
}

TEST_CASE("handoff: two leaders at once do not harm each other, whoever is ahead",
          "[handoff][shell]") {
  for (size_t write = 0; write < kClaimWrites.size(); ++write) {
    DYNAMIC_SECTION("the other takes a whole turn before write " << write) {
      Stage s;
      Service other(s.bench);
      s.AddClaimPod();
      s.bench.clock.Advance(absl::Seconds(1));
      s.AddClaimPod("later");
      const auto count = std::make_shared<size_t>(0);
      bool nested = false;
      s.bench.server.OnWrite({.before =
                                  [&, count](const kube::ServedCall& call) {
                                    if (!IsWork(call) || s.bench.acting() || nested ||
                                        (*count)++ != write) {
                                      return;
                                    }
                                    nested = true;
                                    other.Sync();
                                    other.Work();
                                    nested = false;
                                  },
                              .after = {}});
      s.Finish(s.service);
      s.bench.server.OnWrite({});
      s.Finish(other);
      s.CheckClaimed();
      const api::Pod later = s.bench.Pod("later");
      CHECK_FALSE(api::IsBound(later));
      CHECK(later.metadata.labels.at("korder.dev/claim") != "claimed");
    }
  }
}

TEST_CASE("handoff: on a node, at most four at a time, over all namespaces", "[handoff][shell]") {
  Bench bench;
  bench.AddNode("n2", 4);
  bench.DropNode("n1");
  Service service(bench);
  for (const char* ns : {"default", "team"}) {
    for (int i = 0; i < 3; ++i) {
      api::Ticket ticket = MakeTicket("web-" + std::to_string(i));
      ticket.metadata.ns = ns;
      bench.AddTicket(ticket);
    }
  }
  bench.Settle(service);
  int most = 0;
  bench.server.OnWrite({.before = {}, .after = [&](const kube::ServedCall& call) {
                          if (call.resource != "tickets/status") {
                            return;
                          }
                          int handoffs = 0;
                          auto tickets = kube::ListAll<api::Ticket>(bench.admin, "");
                          REQUIRE(tickets.ok());
                          for (const api::Ticket& ticket : tickets->items) {
                            handoffs += ticket.status.handoff ? 1 : 0;
                          }
                          most = std::max(most, handoffs);
                        }});
  for (const char* ns : {"default", "team"}) {
    for (int i = 0; i < 3; ++i) {
      api::Pod pod = MakeClaimPod("shop-" + std::to_string(i));
      pod.metadata.ns = ns;
      bench.AddPod(pod);
    }
  }
  for (int i = 0; i < 20; ++i) {
    bench.Settle(service);
    bench.clock.Advance(absl::Milliseconds(200));
  }
  CHECK(most > 1);
  CHECK(most <= kMaxBatch);
  auto tickets = kube::ListAll<api::Ticket>(bench.admin, "");
  REQUIRE(tickets.ok());
  for (const api::Ticket& ticket : tickets->items) {
    CHECK(ticket.status.phase == TicketPhase::kClaimed);
  }
}

TEST_CASE("handoff: a node that is cordoned before the release keeps its guardian",
          "[handoff][shell]") {
  Stage s;
  AfterWrite(s.bench, 1, [&] {
    s.bench.Cordon("n1");
    s.service.SyncNodes();
  });
  s.AddClaimPod();
  s.bench.Settle(s.service);
  s.CheckReady();
  const api::Pod pod = s.bench.Pod("shop");
  CHECK(api::HasGate(pod, "korder.dev/claim"));
  CHECK(pod.status.nominated_node_name.empty());
  CHECK_FALSE(pod.metadata.annotations.contains("korder.dev/handoff"));
  s.service.TellEvents();
  const Names events = s.bench.EventsAbout("web-0");
  CHECK(std::count(events.begin(), events.end(), "HandoffFailed") == 1);
}

TEST_CASE("handoff: a pod that lands elsewhere is a miss; the ticket heals", "[handoff][shell]") {
  Stage s;
  s.bench.ignore_nominations = true;
  s.AddClaimPod();
  s.service.Sync();
  s.service.Work();
  s.bench.AddNode("a0", 2);  // It comes before n1, and has room for the thieves, too.
  s.Finish(s.service);
  const api::Pod pod = s.bench.Pod("shop");
  CHECK(pod.spec.node_name == "a0");
  CHECK(pod.metadata.annotations.at("korder.dev/claim-result") == "lost");
  const api::TicketStatus status = s.bench.Ticket("web-0").status;
  CHECK(status.phase == TicketPhase::kReady);
  CHECK_FALSE(status.handoff);
  CHECK(status.guardian_pod == "default/web-0-g2");
}

TEST_CASE("handoff: a ticket deleted after the nomination still passes its room on",
          "[handoff][shell]") {
  Stage s;
  AfterWrite(s.bench, 1, [&] {
    REQUIRE(s.bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());
    REQUIRE(s.bench.Guardians().empty());  // It goes with its ticket.
  });
  s.AddClaimPod();
  s.Finish(s.service);
  const api::Pod pod = s.bench.Pod("shop");
  CHECK(pod.spec.node_name == "n1");
  CHECK_FALSE(pod.metadata.annotations.contains("korder.dev/handoff"));
  CHECK(s.bench.LuckyThieves().empty());
}

TEST_CASE("handoff: a ticket deleted while no leader is there leaves its pod to another ticket",
          "[handoff][shell][crash]") {
  Nominated s;
  REQUIRE(s.bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());

  Service successor(s.bench);
  s.Finish(successor);
  const api::Pod waiting = s.bench.Pod("shop");
  CHECK(api::HasGate(waiting, "korder.dev/claim"));
  CHECK(waiting.status.nominated_node_name.empty());
  CHECK_FALSE(waiting.metadata.annotations.contains("korder.dev/handoff"));
  CHECK_FALSE(waiting.metadata.annotations.contains("korder.dev/claimed-ticket"));

  s.bench.AddNode("n2", 2);
  s.bench.AddTicket(MakeTicket("web-9"));
  s.bench.Settle(successor);
  const api::Pod claimed = s.bench.Pod("shop");
  CHECK(claimed.spec.node_name == "n2");
  CHECK(claimed.metadata.annotations.at("korder.dev/claimed-ticket") == "web-9");
}

TEST_CASE("handoff: required mode pins the pod to the node in the write that opens the gate",
          "[handoff][shell]") {
  Stage s;
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/mode"] = "required";
  s.bench.AddPod(pod);
  s.bench.Settle(s.service);
  CHECK(s.bench.Writes() == kClaimWrites);
  s.CheckClaimed();
  const api::Pod claimed = s.bench.Pod("shop");
  REQUIRE(claimed.spec.affinity.has_value());
  const auto& terms = claimed.spec.affinity->node_affinity->required->terms;
  REQUIRE(terms.size() == 1);
  CHECK(terms[0].match_fields[0].values == Names{"n1"});
}

TEST_CASE("handoff: a pod that cannot be pinned gets the room unpinned, and is told",
          "[handoff][shell]") {
  Stage s;
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/mode"] = "required";
  s.bench.AddPod(pod);
  s.bench.server.FailNext("patch", "pods", 422);
  s.bench.Settle(s.service);
  s.CheckClaimed();
  CHECK_FALSE(s.bench.Pod("shop").spec.affinity.has_value());
  s.service.TellEvents();
  CHECK(s.bench.EventsAbout("shop") == Names{"HandoffFailed", "HandoffStarted", "TicketClaimed"});
}

TEST_CASE("handoff: a guardian that has changed is looked at again before it is deleted",
          "[handoff][shell]") {
  Stage s;
  AfterWrite(s.bench, 1, [&] {
    REQUIRE(s.bench.admin
                .Patch<api::Pod>({"default", "web-0-g1"}, {},
                                 R"({"metadata":{"annotations":{"seen-by":"somebody"}}})")
                .ok());
  });
  s.AddClaimPod();
  s.bench.Settle(s.service);
  const Names writes = s.bench.Writes();
  CHECK(std::count(writes.begin(), writes.end(), "delete pods") == 2);  // The first is refused.
  s.CheckClaimed();
}

// Two tickets fill the node, and two pods ask.
struct Pair {
  explicit Pair(HandoffOptions with = {}) : options(with), service(bench, with) {
    bench.AddTicket(MakeTicket("web-0"));
    bench.AddTicket(MakeTicket("web-1"));
    bench.Settle(service);
    bench.AddThieves(3);
    bench.Settle(service);
    REQUIRE(bench.Guardians().size() == 2);
    bench.ForgetWrites();
  }
  // A process with these options, which dies at a write of its own; another one goes on. False when
  // there is no such write.
  bool Survives(int write, Moment moment) {
    service.transport.DieAt(write, moment);
    bench.AddPod(MakeClaimPod("shop-0"));
    bench.AddPod(MakeClaimPod("shop-1"));
    for (int i = 0; i < 3 && !service.dead(); ++i) {
      bench.Settle(service);
      bench.clock.Advance(absl::Milliseconds(500));
    }
    if (!service.dead()) {
      return false;
    }
    bench.clock.Advance(absl::Seconds(2));
    bench.Schedule();
    bench.RunPods();
    CHECK(bench.LuckyThieves().empty());
    Service successor(bench, options);
    for (int i = 0; i < 6; ++i) {
      bench.Settle(successor);
      bench.clock.Advance(absl::Seconds(3));
    }
    bench.Settle(successor);
    return true;
  }
  void CheckClaimed() {
    for (const char* name : {"shop-0", "shop-1"}) {
      CHECK(bench.Pod(name).spec.node_name == "n1");
    }
    for (const char* name : {"web-0", "web-1"}) {
      CHECK(bench.Ticket(name).status.phase == TicketPhase::kClaimed);
      CHECK_FALSE(bench.Ticket(name).status.handoff);
    }
    CHECK(bench.Guardians().empty());
    CHECK(bench.LuckyThieves().empty());
    CHECK(bench.FencePods().empty());
  }

  Bench bench;
  HandoffOptions options;
  Service service;
};

TEST_CASE("handoff: a batch survives a crash at any of its writes", "[handoff][shell][crash]") {
  struct Case {
    const char* name;
    HandoffOptions options;
  };
  const Case cases[] = {
      {"plain", {}},
      {"with fences", {.fence = FenceMode::kAlways}},
      {"on old servers", {.scheduler_keeps_order = false, .settle = absl::Milliseconds(500)}},
  };
  for (const Case& c : cases) {
    for (const Moment moment : {Moment::kBefore, Moment::kAfter}) {
      DYNAMIC_SECTION(c.name << (moment == Moment::kBefore ? ", before" : ", after")) {
        int writes = 0;
        while (true) {
          Pair pair(c.options);
          CAPTURE(writes);
          if (!pair.Survives(writes, moment)) {
            break;
          }
          pair.CheckClaimed();
          ++writes;
        }
        CHECK(writes >= (c.options.fence == FenceMode::kAlways ? 11 : 10));
      }
    }
  }
}

TEST_CASE(
    "handoff: while the scheduler is silent no guardian is given up, and a new one is told all",
    "[handoff][shell]") {
  Bench bench;
  bench.AddNode("n2", 1);
  Service service(bench);
  for (const char* name : {"web-0", "web-1", "web-2", "web-3"}) {
    bench.AddTicket(MakeTicket(name));
  }
  bench.Settle(service);
  bench.AddThieves(3);
  bench.Settle(service);
  std::map<std::string, std::string> ticket_on;  // one of each node
  for (const char* name : {"web-0", "web-1", "web-2", "web-3"}) {
    ticket_on[bench.Ticket(name).status.node_name] = name;
  }
  REQUIRE(ticket_on.size() == 2);
  const auto ask = [&](const std::string& name, const std::string& ticket) {
    api::Pod pod = MakeClaimPod(name);
    pod.metadata.annotations["korder.dev/ticket"] = ticket;
    bench.AddPod(pod);
    service.Sync();
    service.Work();
  };
  ask("first", ticket_on["n1"]);
  REQUIRE(bench.Pod("first").spec.scheduling_gates.empty());
  bench.clock.Advance(kSchedulerPatience);
  ask("second", ticket_on["n2"]);
  CHECK(bench.Pod("second").status.nominated_node_name == "n2");
  CHECK(bench.FindPod(ticket_on["n2"] + "-g1").has_value());
  CHECK(bench.FencePods().size() == 1);

  bench.RestartScheduler();
  bench.Schedule();
  for (int i = 0; i < 3; ++i) {
    bench.Settle(service);
    bench.clock.Advance(absl::Seconds(3));
  }
  CHECK(bench.Pod("first").spec.node_name == "n1");
  CHECK(bench.Pod("second").spec.node_name == "n2");
  CHECK(bench.Ticket(ticket_on["n2"]).status.phase == TicketPhase::kClaimed);
  CHECK(bench.LuckyThieves().empty());
  CHECK(bench.FencePods().empty());
}

TEST_CASE("handoff: a guardian that found no room steps aside, and its ticket looks again later",
          "[handoff][shell]") {
  Stage s;
  s.bench.AddTicket(MakeTicket("web-1"));
  s.bench.Settle(s.service);
  REQUIRE(s.bench.FindPod("web-1-g1"));
  api::Pod pod = MakeClaimPod("shop");
  pod.spec.priority = -1;  // The guardian would pay no heed to its nomination.
  s.bench.AddPod(pod);
  s.bench.Settle(s.service);
  s.CheckClaimed();
  CHECK(s.service.traffic.HoldBack(LineOf(Reduced(s.bench.Ticket("web-1")))) == absl::Seconds(1));
  s.bench.clock.Advance(absl::Seconds(2));
  s.bench.Settle(s.service);
  CHECK(s.bench.Guardians() == Names{"web-1-g1"});
}

TEST_CASE("handoff: two rooms of a node pass on together, none before both are nominated",
          "[handoff][shell]") {
  Pair pair;
  pair.bench.AddPod(MakeClaimPod("shop-0"));
  pair.bench.AddPod(MakeClaimPod("shop-1"));
  pair.bench.Settle(pair.service);
  const std::string promise = "update tickets/status";
  CHECK(pair.bench.Writes() == Names{promise, promise, "patch pods/status", "patch pods/status",
                                     "delete pods", "delete pods", "patch pods", "patch pods",
                                     promise, promise});
  pair.CheckClaimed();
}

TEST_CASE("handoff: with a fence, the guardian stays until the scheduler has answered",
          "[handoff][shell]") {
  Stage s;
  Service careful(s.bench, {.fence = FenceMode::kAlways});
  s.AddClaimPod();
  careful.Sync();
  careful.Work();
  CHECK(s.bench.Pod("shop").status.nominated_node_name == "n1");
  CHECK(s.bench.FindPod("web-0-g1").has_value());
  REQUIRE(s.bench.FencePods().size() == 1);
  s.bench.clock.Advance(absl::Seconds(5));
  careful.Sync();
  careful.Work();
  CHECK(s.bench.FindPod("web-0-g1").has_value());

  SECTION("then it goes") {
    s.Finish(careful);
    s.CheckClaimed();
    CHECK(s.bench.FencePods().empty());
  }
  SECTION("a scheduler that began anew is told of the nomination again") {
    const std::string before = s.bench.Pod("shop").metadata.resource_version;
    s.bench.Schedule();
    careful.disturbance.Note();
    careful.wake_ups.AllHandoffs();
    careful.Sync();
    careful.Work();
    CHECK(s.bench.Pod("shop").metadata.resource_version != before);
    CHECK(s.bench.FindPod("web-0-g1").has_value());
    s.Finish(careful);
    s.CheckClaimed();
    CHECK(s.bench.FencePods().empty());
  }
  SECTION("a scheduler that never answers costs the handoff, not the room") {
    s.bench.clock.Advance(absl::Seconds(6));
    careful.Sync();
    careful.Work();
    CHECK(s.bench.FindPod("web-0-g1").has_value());
    CHECK_FALSE(s.bench.Ticket("web-0").status.handoff);
    CHECK(s.bench.Ticket("web-0").status.phase == TicketPhase::kReady);
    CHECK(s.bench.Pod("shop").status.nominated_node_name.empty());
  }
}

TEST_CASE("handoff: fences that a process left behind are removed by the next",
          "[handoff][shell][crash]") {
  Stage s;
  {
    Service careful(s.bench, {.fence = FenceMode::kAlways});
    careful.transport.DieAt(3, Moment::kBefore);
    s.AddClaimPod();
    s.bench.Settle(careful);
    REQUIRE(careful.dead());
  }
  CHECK(s.bench.FencePods().size() == 1);
  Service plain(s.bench);
  s.Finish(plain);
  s.CheckClaimed();
  CHECK(s.bench.FencePods().empty());
}

TEST_CASE("handoff: no room passes on while another pod is nominated to the node",
          "[handoff][shell]") {
  Stage s;
  api::Pod rival = MakeClaimPod("rival");
  rival.metadata.labels.clear();
  s.bench.AddPod(rival);
  const auto nominate = [&](const char* node) {
    REQUIRE(s.bench.admin
                .Patch<api::Pod>({"default", "rival"}, {.subresource = "status"},
                                 absl::StrCat(R"({"status":{"nominatedNodeName":)", node, "}}"))
                .ok());
  };
  nominate(R"("n1")");
  s.AddClaimPod();
  s.bench.Settle(s.service);
  CHECK(s.bench.FindPod("web-0-g1").has_value());
  SECTION("the other goes") {
    nominate("null");
    s.bench.clock.Advance(absl::Seconds(1));
    s.Finish(s.service);
    s.CheckClaimed();
  }
  SECTION("the other stays") {
    s.bench.clock.Advance(absl::Seconds(11));
    s.bench.Settle(s.service);
    s.service.TellEvents();
    const Names events = s.bench.EventsAbout("web-0");
    CHECK(std::count(events.begin(), events.end(), "HandoffFailed") == 1);
    CHECK(s.bench.FindPod("web-0-g1").has_value());
  }
}

TEST_CASE("handoff: one that cannot go on is given up in its time although the clock was set back",
          "[handoff][shell]") {
  Stage s;
  Service careful(s.bench, {.fence = FenceMode::kAlways});  // which nobody answers
  s.AddClaimPod();
  careful.Sync();
  careful.Work();
  REQUIRE(s.bench.Ticket("web-0").status.handoff);
  s.bench.clock.StepWall(-absl::Hours(1));
  s.bench.clock.Advance(absl::Seconds(11));
  careful.Sync();
  careful.Work();
  CHECK_FALSE(s.bench.Ticket("web-0").status.handoff);
  CHECK(s.bench.FindPod("web-0-g1").has_value());
}

TEST_CASE("handoff: by preemption, only a pod above the guardian's priority can claim",
          "[handoff][shell]") {
  Stage s;
  Service ladder(s.bench, {.method = HandoffMethodName::kPreempt});
  SECTION("it gets the room, pinned to the node, and was never nominated") {
    api::Pod pod = MakeClaimPod("shop");
    pod.spec.priority = 1;
    s.bench.AddPod(pod);
    s.bench.Settle(ladder);
    CHECK(s.bench.Writes() == Names{"update tickets/status", "patch pods", "delete pods",
                                    "patch pods", "update tickets/status"});
    CHECK(s.bench.Pod("shop").spec.node_name == "n1");
    CHECK(s.bench.Pod("shop").spec.affinity.has_value());
  }
  SECTION("another waits, and is told why") {
    s.AddClaimPod();
    s.bench.Settle(ladder);
    CHECK(s.bench.Writes().empty());
    ladder.TellEvents();
    CHECK(s.bench.EventsAbout("shop") == Names{"WaitingForTicket"});
  }
}

TEST_CASE("handoff: on old servers the gate opens half a second after the guardian is gone",
          "[handoff][shell]") {
  Stage s;
  Service old(s.bench, {.settle = absl::Milliseconds(500)});
  s.AddClaimPod();
  s.bench.Settle(old);
  CHECK_FALSE(s.bench.FindPod("web-0-g1").has_value());
  CHECK(api::HasGate(s.bench.Pod("shop"), "korder.dev/claim"));
  s.bench.clock.Advance(absl::Milliseconds(499));
  s.bench.Settle(old);
  CHECK(api::HasGate(s.bench.Pod("shop"), "korder.dev/claim"));
  s.bench.clock.Advance(absl::Milliseconds(1));
  s.bench.Settle(old);
  s.CheckClaimed();
}

}  // namespace
}  // namespace korder::ticket
