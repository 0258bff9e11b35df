#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "ticket-svc/claim_decide.h"
#include "ticket-svc/handoff_batch.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

Claimant Asking(api::Pod pod) { return MakeClaimant(Share(std::move(pod)), ClaimRules{}); }

api::Pod Annotated(const std::string& name, const char* key, const char* value) {
  api::Pod pod = MakeClaimPod(name);
  pod.metadata.annotations[key] = value;
  return pod;
}

api::Pod Sized(const std::string& name, const char* cpu, const char* memory) {
  api::Pod pod = MakeClaimPod(name);
  pod.spec.containers[0].resources.requests = Resources(cpu, memory);
  return pod;
}

Room SizedRoom(const std::string& node, const std::string& ticket, const char* cpu,
               const char* memory) {
  api::Ticket made = MakeTicket(ticket);
  made.spec.resources.requests = Resources(cpu, memory);
  return MakeRoomOn(node, made);
}

// A changed copy of a room.
template <class Change>
Room With(Room room, Change change) {
  api::Ticket ticket = Whole(*room.ticket);
  OwnPod guardian = *room.guardian;
  api::Node node = *room.node;
  change(ticket, guardian, node);
  return {Share(Reduced(ticket)), Share(guardian), Share(node)};
}

TEST_CASE("claim fit: what stands between a pod and a ticket", "[claim]") {
  using T = api::Ticket;
  using G = OwnPod;
  using P = api::Pod;
  using N = api::Node;
  struct Case {
    const char* name;
    void (*change)(T&, G& guardian, N&, P& pod);
    const char* want;  // "" = it fits
  };
  const Case cases[] = {
      {"nothing", [](T&, G&, N&, P&) {}, ""},
      {"other namespace", [](T&, G&, N&, P& pod) { pod.metadata.ns = "other"; },
       "is in another namespace"},
      {"this ticket",
       [](T&, G&, N&, P& p) { p.metadata.annotations["korder.dev/ticket"] = "web-0"; }, ""},
      {"another ticket",
       [](T&, G&, N&, P& p) { p.metadata.annotations["korder.dev/ticket"] = "web-1"; },
       "is not web-1"},
      {"this order, by a label",
       [](T&, G&, N&, P& p) { p.metadata.labels["korder.dev/order"] = "web"; }, ""},
      {"another order",
       [](T&, G&, N&, P& p) { p.metadata.annotations["korder.dev/order"] = "batch"; },
       "is not of order batch"},
      {"selector matches",
       [](T&, G&, N&, P& p) { p.metadata.annotations["korder.dev/ticket-selector"] = "app=shop"; },
       ""},
      {"selector does not match",
       [](T&, G&, N&, P& p) { p.metadata.annotations["korder.dev/ticket-selector"] = "app!=shop"; },
       "does not match app notin (shop)"},
      {"not Ready", [](T& t, G&, N&, P&) { t.status.phase = api::TicketPhase::kPending; },
       "does not hold room now"},
      {"guardian being deleted", [](T&, G& g, N&, P&) { g.metadata.deletion_timestamp = kNow; },
       "does not hold room now"},
      {"guardian failed", [](T&, G& g, N&, P&) { g.phase = "Failed"; }, "does not hold room now"},
      {"promised", [](T& t, G&, N&, P&) { t.status.phase = api::TicketPhase::kClaimed; },
       "does not hold room now"},
      {"five seconds left",
       [](T& t, G&, N&, P&) { t.status.expiration_time = kNow + absl::Seconds(5); }, ""},
      {"less than five seconds left",
       [](T& t, G&, N&, P&) { t.status.expiration_time = kNow + absl::Milliseconds(4999); },
       "is about to expire"},
      {"without end", [](T& t, G&, N&, P&) { t.status.expiration_time.reset(); }, ""},
      {"too little cpu",
       [](T&, G&, N&, P& p) { p.spec.containers[0].resources.requests = Resources("501m", "1Gi"); },
       "holds 500m cpu, 501m asked"},
      {"no such resource",
       [](T&, G&, N&, P& p) {
         p.spec.containers[0].resources.requests["nvidia.com/gpu"] = api::Quantity::FromInt(1);
       },
       "holds no nvidia.com/gpu, 1 asked"},
      {"none of a resource that is not held",
       [](T&, G&, N&, P& p) {
         p.spec.containers[0].resources.requests["nvidia.com/gpu"] = api::Quantity();
       },
       ""},
      {"an init container that asks more",
       [](T&, G&, N&, P& p) {
         p.spec.init_containers = p.spec.containers;
         p.spec.init_containers[0].resources.requests = Resources("2", "1Gi");
       },
       "holds 500m cpu, 2 asked"},
      {"overhead on top", [](T&, G&, N&, P& p) { p.spec.overhead = Resources("1m", "0"); },
       "holds 500m cpu, 501m asked"},
      {"another scheduler", [](T& t, G&, N&, P&) { t.spec.scheduler_name = "batch"; },
       "is for scheduler batch"},
      {"node being deleted", [](T&, G&, N& n, P&) { n.metadata.deletion_timestamp = kNow; },
       "cannot be used: node is gone"},
      {"node not Ready", [](T&, G&, N& n, P&) { n.status.conditions[0].status = "False"; },
       "cannot be used: node is not Ready"},
      {"node cordoned", [](T&, G&, N& n, P&) { n.spec.unschedulable = true; },
       "cannot be used: node is cordoned"},
      {"node tainted",
       [](T&, G&, N& n, P&) {
         n.spec.taints = {{.key = "gpu", .value = "", .effect = "NoSchedule", .time_added = {}}};
       },
       "cannot be used: node has taint gpu:NoSchedule"},
      {"node selector of the pod",
       [](T&, G&, N&, P& p) {
         p.spec.node_selector = {{"disk", "ssd"}};
       },
       "cannot be used: node does not match nodeSelector disk=ssd"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Room plain = MakeRoomOn("n1", MakeTicket("web-0"));
      api::Pod pod = MakeClaimPod("shop");
      const Room room = With(plain, [&](T& t, G& g, N& n) { c.change(t, g, n, pod); });
      CHECK(WhyNot(Asking(pod), room, kNow).value_or("") == c.want);
    }
  }
}

TEST_CASE("claim fit: a ticket whose node is gone, or whose guardian, gives no room", "[claim]") {
  const Room room = MakeRoomOn("n1", MakeTicket("web-0"));
  const Claimant claimant = Asking(MakeClaimPod("shop"));
  CHECK(WhyNot(claimant, {room.ticket, room.guardian, nullptr}, kNow) ==
        "cannot be used: node is gone");
  CHECK(WhyNot(claimant, {room.ticket, nullptr, room.node}, kNow) == "does not hold room now");
}

TEST_CASE("claim fit: waste is the part of every held resource that would lie idle", "[claim]") {
  const api::ResourceList none;
  CHECK(Waste(Resources("1", "1Gi"), Resources("1", "1Gi")) == Approx(0));
  CHECK(Waste(Resources("1", "1Gi"), Resources("4", "2Gi")) == Approx(0.75 + 0.5));
  CHECK(Waste(none, Resources("1", "1Gi")) == Approx(2));
  CHECK(Waste(none, {{"cpu", api::Quantity::FromNanos(1)}}) == Approx(1));
  CHECK(Waste(Resources("1", "1Gi"), Resources("2", "0")) == Approx(0.5));
  CHECK(Waste(Resources("1", "1Gi"), none) == Approx(0));
}

TEST_CASE("claim fit: the room with the least waste, then the earliest end, then the name",
          "[claim]") {
  const Claimant claimant = Asking(Sized("shop", "1", "1Gi"));
  SECTION("least waste over all resources") {
    const std::vector<Room> rooms = {SizedRoom("n1", "big", "4", "4Gi"),
                                     SizedRoom("n2", "tight", "1", "2Gi"),
                                     SizedRoom("n3", "odd", "1", "8Gi")};
    CHECK(BestRoom(claimant, rooms, kNow)->ticket->metadata.name == "tight");
  }
  SECTION("earliest end") {
    const auto ending = [](const char* node, const char* name, absl::Duration in) {
      return With(SizedRoom(node, name, "1", "1Gi"), [&](api::Ticket& t, OwnPod&, api::Node&) {
        t.status.expiration_time = kNow + in;
      });
    };
    const std::vector<Room> rooms = {ending("n1", "a", absl::Hours(3)),
                                     ending("n2", "b", absl::Hours(1)),
                                     ending("n3", "c", absl::InfiniteDuration())};
    CHECK(BestRoom(claimant, rooms, kNow)->ticket->metadata.name == "b");
  }
  SECTION("name") {
    const std::vector<Room> rooms = {SizedRoom("n1", "b", "1", "1Gi"),
                                     SizedRoom("n2", "a", "1", "1Gi")};
    CHECK(BestRoom(claimant, rooms, kNow)->ticket->metadata.name == "a");
  }
}

TEST_CASE("claim fit: a pod with other gates or a malformed request gets nothing yet", "[claim]") {
  const std::vector<Room> rooms = {MakeRoomOn("n1", MakeTicket("web-0"))};
  api::Pod gated = MakeClaimPod("shop");
  gated.spec.scheduling_gates.push_back({"example.com/wait"});
  CHECK(BestRoom(Asking(gated), rooms, kNow) == nullptr);
  CHECK(Explain(Asking(gated), rooms, kNow) ==
        "the pod has other scheduling gates, which must go first");
  const Claimant malformed = Asking(Annotated("shop", "korder.dev/ticket-selector", "a in b"));
  CHECK(BestRoom(malformed, rooms, kNow) == nullptr);
  CHECK(Explain(malformed, rooms, kNow).find("korder.dev/ticket-selector") != std::string::npos);
}

TEST_CASE("claim fit: why no ticket fits is told with numbers, most frequent first", "[claim]") {
  CHECK(Explain(Asking(MakeClaimPod("shop")), {}, kNow) ==
        "no ticket is Ready in namespace default");
  const std::vector<Room> rooms = {MakeRoomOn("n1", MakeTicket("web-0")),
                                   MakeRoomOn("n2", MakeTicket("web-1")),
                                   SizedRoom("n3", "gpu-0", "8", "512Mi")};
  CHECK(Explain(Asking(Sized("shop", "4", "1Gi")), rooms, kNow) ==
        "none of 3 Ready tickets fits: holds 500m cpu, 4 asked (2); holds 512Mi memory, 1Gi "
        "asked (1)");
}

TEST_CASE("claim fit: of many causes the three most frequent are told, equal ones by their words",
          "[claim]") {
  const auto on = [](const char* node, const char* ticket, const char* cpu) {
    return SizedRoom(node, ticket, cpu, "1Gi");
  };
  const std::vector<Room> rooms = {on("n1", "a", "100m"), on("n2", "b", "200m"),
                                   on("n3", "c", "300m"), on("n4", "d", "400m"),
                                   on("n5", "e", "400m")};
  CHECK(Explain(Asking(Sized("shop", "4", "1Gi")), rooms, kNow) ==
        "none of 5 Ready tickets fits: holds 400m cpu, 4 asked (2); holds 100m cpu, 4 asked (1); "
        "holds 200m cpu, 4 asked (1)");
}

TEST_CASE("claim fit: what would help, where there are tickets and where there are none",
          "[claim]") {
  const std::vector<std::string> no_tickets = {
      "an Order in namespace default whose tickets hold at least 4 cpu, 1Gi memory",
      "`kubectl get tickets` tells why those that are there are not Ready"};
  const Claimant big = Asking(Sized("shop", "4", "1Gi"));
  CHECK(WhatWouldHelp(big, {}, kNow) == no_tickets);
  const std::vector<Room> small = {MakeRoomOn("n1", MakeTicket("web-0"))};
  CHECK(WhatWouldHelp(big, small, kNow) ==
        std::vector<std::string>{"an Order whose tickets hold at least 4 cpu, 1Gi memory, or "
                                 "smaller requests in the pod"});
  CHECK(WhatWouldHelp(Asking(MakeClaimPod("shop")), small, kNow).empty());
}

TEST_CASE("claim fit: a window is waited for only by a pod that could have the ticket", "[claim]") {
  const auto opening = [](const char* name, absl::Duration in) {
    return With(MakeRoomOn("n1", MakeTicket(name)), [&](api::Ticket& t, OwnPod&, api::Node&) {
      t.spec.start_time = kNow + in;
      t.status.activation_time = kNow + in;
    });
  };
  const std::vector<Room> rooms = {opening("late", absl::Hours(2)), opening("soon", absl::Hours(1)),
                                   opening("later", absl::Hours(3)),
                                   MakeRoomOn("n1", MakeTicket("open"))};
  CHECK(OpensNext(Asking(MakeClaimPod("shop")), rooms, kNow) == kNow + absl::Hours(1));
  CHECK(OpensNext(Asking(Sized("shop", "4", "1Gi")), rooms, kNow) == std::nullopt);
  CHECK(OpensNext(Asking(Annotated("shop", "korder.dev/ticket", "later")), rooms, kNow) ==
        kNow + absl::Hours(3));
  CHECK(OpensNext(Asking(Annotated("shop", "korder.dev/ticket-selector", "a in b")), rooms, kNow) ==
        std::nullopt);
  api::Pod gated = MakeClaimPod("shop");
  gated.spec.scheduling_gates.push_back({"example.com/wait"});
  CHECK(OpensNext(Asking(gated), rooms, kNow) == std::nullopt);
}

ClaimsObserved Scene(std::vector<api::Pod> pods, std::vector<Room> rooms) {
  ClaimsObserved observed{.rooms = std::move(rooms), .now = kNow + absl::Seconds(1)};
  for (api::Pod& pod : pods) {
    observed.pods.push_back(Share(std::move(pod)));
  }
  return observed;
}

std::vector<std::string> Pairs(const ClaimsPlan& plan) {
  std::vector<std::string> pairs;
  for (const Assignment& a : plan.assignments) {
    pairs.push_back(a.pod->metadata.name + "=" + a.ticket->metadata.name);
  }
  return pairs;
}
using Names = std::vector<std::string>;

api::Pod Aged(const std::string& name, absl::Duration age) {
  api::Pod pod = MakeClaimPod(name);
  pod.metadata.creation_timestamp = kNow - age;
  return pod;
}

TEST_CASE("claims: who waits longest is served first", "[claim]") {
  const ClaimsPlan plan =
      DecideClaims(Scene({Aged("young", absl::Seconds(1)), Aged("old", absl::Seconds(9))},
                         {MakeRoomOn("n1", MakeTicket("web-0"))}));
  CHECK(Pairs(plan) == Names{"old=web-0"});
  REQUIRE(plan.waiting.size() == 1);
  CHECK(plan.waiting[0].pod->metadata.name == "young");
  CHECK(plan.assignments[0].guardian_uid == "uid-web-0-g1");
  CHECK(plan.assignments[0].node == "n1");
}

TEST_CASE("claims: the handoffs of a node begin together, at most four", "[claim]") {
  std::vector<Room> rooms;
  std::vector<api::Pod> pods;
  for (int i = 0; i < 5; ++i) {
    rooms.push_back(MakeRoomOn("n1", MakeTicket("web-" + std::to_string(i))));
    pods.push_back(Aged("pod-" + std::to_string(i), absl::Seconds(20 - i)));
  }
  SECTION("in one pass") {
    rooms.push_back(MakeRoomOn("n2", MakeTicket("web-5")));
    pods.push_back(Aged("pod-5", absl::Seconds(1)));
    pods.push_back(Aged("pod-6", absl::Seconds(1)));
    const ClaimsPlan plan = DecideClaims(Scene(pods, rooms));
    CHECK(Pairs(plan) ==
          Names{"pod-0=web-0", "pod-1=web-1", "pod-2=web-2", "pod-3=web-3", "pod-4=web-5"});
    CHECK(plan.wanted_nodes == std::set<std::string>{"n1"});
    REQUIRE(plan.waiting.size() == 2);
    CHECK(plan.waiting[0].soon);
  }
  SECTION("beside some that are under way, none") {
    rooms.push_back(MakeRoomOn("n2", MakeTicket("web-5")));
    ClaimsObserved observed = Scene({pods[0], pods[1]}, rooms);
    observed.busy_nodes = {"n1"};
    const ClaimsPlan plan = DecideClaims(observed);
    CHECK(Pairs(plan) == Names{"pod-0=web-5"});
    CHECK(plan.wanted_nodes == std::set<std::string>{"n1"});
  }
}

TEST_CASE("claims: only pods that wait are looked at", "[claim]") {
  struct Case {
    const char* name;
    void (*change)(api::Pod&);
  };
  const Case cases[] = {
      {"no gate of ours", [](api::Pod& p) { p.spec.scheduling_gates.clear(); }},
      {"decided already", [](api::Pod& p) { p.metadata.labels["korder.dev/claim"] = "claimed"; }},
      {"no label", [](api::Pod& p) { p.metadata.labels.clear(); }},
      {"being deleted", [](api::Pod& p) { p.metadata.deletion_timestamp = kNow; }},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      api::Pod pod = Aged("shop", absl::Hours(1));
      c.change(pod);
      const ClaimsPlan plan = DecideClaims(Scene({pod}, {MakeRoomOn("n1", MakeTicket("web-0"))}));
      CHECK(plan.assignments.empty());
      CHECK(plan.fallbacks.empty());
      CHECK(plan.waiting.empty());
    }
  }
}

TEST_CASE("claims: a pod in a handoff is not promised another ticket", "[claim]") {
  ClaimsObserved observed =
      Scene({Aged("shop", absl::Hours(1))}, {MakeRoomOn("n1", MakeTicket("web-0"))});
  observed.handoff_pods = {"uid-shop"};
  const ClaimsPlan plan = DecideClaims(observed);
  CHECK(plan.assignments.empty());
  CHECK(plan.fallbacks.empty());
}

TEST_CASE("claims: the mark of a handoff that is no more is taken away first", "[claim]") {
  const ClaimsPlan plan = DecideClaims(Scene({Annotated("shop", "korder.dev/handoff", "h1")},
                                             {MakeRoomOn("n1", MakeTicket("web-0"))}));
  CHECK(plan.assignments.empty());
  REQUIRE(plan.stale_marks.size() == 1);
}

TEST_CASE("claims: what becomes of a pod for which there is no ticket", "[claim]") {
  struct Case {
    const char* name;
    const char* key;
    const char* value;
    absl::Duration age;
    bool want_fallback;
    absl::Duration want_look;
  };
  const absl::Duration never = absl::InfiniteDuration();
  const Case cases[] = {
      {"by default it waits 30 s", "x", "", absl::Seconds(28), false, absl::Seconds(1)},
      {"and then goes on without", "x", "", absl::Seconds(29), true, never},
      {"its own time counts", "korder.dev/claim-timeout", "2m", absl::Seconds(59), false,
       absl::Minutes(1)},
      {"its own time is over", "korder.dev/claim-timeout", "1s", absl::Seconds(0), true, never},
      {"wait", "korder.dev/fallback", "wait", absl::Hours(9), false, never},
      {"deny", "korder.dev/fallback", "deny", absl::Hours(9), false, never},
      {"a malformed request falls back, too", "korder.dev/mode", "sometimes", absl::Seconds(29),
       true, never},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      api::Pod pod = Aged("shop", c.age);
      pod.metadata.annotations[c.key] = c.value;
      const ClaimsPlan plan = DecideClaims(Scene({pod}, {}));
      CHECK(plan.fallbacks.size() == (c.want_fallback ? 1 : 0));
      CHECK(plan.waiting.size() == (c.want_fallback ? 0 : 1));
      CHECK(plan.requeue_after.value_or(never) == c.want_look);
    }
  }
}

TEST_CASE("claim: a Ready ticket can be claimed although the clock was set back", "[claim]") {
  ClaimsObserved observed;
  observed.pods = {Share(MakeClaimPod("shop"))};
  observed.rooms = {MakeRoomOn("n1", MakeTicket("web-0"))};
  observed.now = kNow - absl::Hours(1);
  CHECK(DecideClaims(observed).assignments.size() == 1);
}

TEST_CASE("claim: a pod is let go in its time although the clock was set back", "[claim]") {
  const auto pod = Share(MakeClaimPod("shop"));
  ClaimsObserved observed;
  observed.pods = {pod};
  observed.rules.timeout = absl::Seconds(30);
  observed.now = kNow - absl::Hours(1);
  observed.waited = {{pod->metadata.uid, absl::Seconds(10)}};
  const ClaimsPlan early = DecideClaims(observed);
  CHECK(early.fallbacks.empty());
  CHECK(early.requeue_after == absl::Seconds(20));
  observed.waited = {{pod->metadata.uid, absl::Seconds(30)}};
  CHECK(DecideClaims(observed).fallbacks.size() == 1);
}

TEST_CASE("claim: how long a pod waits that says nothing of it is the operator's to say",
          "[claim]") {
  ClaimsObserved observed = Scene({MakeClaimPod("shop")}, {});
  observed.rules.timeout = absl::Seconds(10);
  observed.now = kNow + absl::Seconds(9);
  CHECK(DecideClaims(observed).requeue_after == absl::Seconds(1));
  observed.now = kNow + absl::Seconds(10);
  CHECK(DecideClaims(observed).fallbacks.size() == 1);
}

TEST_CASE("claims: a pod that fits nothing does not hold up the younger ones", "[claim]") {
  api::Pod large = Aged("large", absl::Seconds(9));
  large.spec.containers[0].resources.requests = Resources("64", "1Gi");
  const ClaimsPlan plan = DecideClaims(
      Scene({large, Aged("small", absl::Seconds(1))}, {MakeRoomOn("n1", MakeTicket("web-0"))}));
  CHECK(Pairs(plan) == Names{"small=web-0"});
}

TEST_CASE("claims: every plan is sound, and does not depend on the order of what is seen",
          "[claim][property]") {
  std::mt19937 random(3);
  const char* sizes[] = {"100m", "500m", "1", "2"};
  for (int i = 0; i < 500; ++i) {
    std::vector<api::Pod> pods;
    std::vector<Room> rooms;
    for (unsigned p = 0; p < random() % 8; ++p) {
      pods.push_back(Sized("pod" + std::to_string(p), sizes[random() % 4], "1Gi"));
      pods.back().metadata.creation_timestamp =
          kNow - absl::Seconds(static_cast<int>(random() % 40));
    }
    for (unsigned t = 0; t < random() % 8; ++t) {
      rooms.push_back(SizedRoom("n" + std::to_string(random() % 4), "t" + std::to_string(t),
                                sizes[random() % 4], "2Gi"));
    }
    ClaimsObserved observed = Scene(pods, rooms);
    if (random() % 3 == 0) {
      observed.busy_nodes = {"n0"};
    }
    const ClaimsPlan plan = DecideClaims(observed);
    CAPTURE(i);
    std::map<std::string, int> on_node;
    std::set<std::string> used;
    for (const Assignment& a : plan.assignments) {
      REQUIRE_FALSE(observed.busy_nodes.contains(a.node));
      REQUIRE(++on_node[a.node] <= kMaxBatch);
      REQUIRE(used.insert(a.pod->metadata.name).second);     // one ticket per pod
      REQUIRE(used.insert(a.ticket->metadata.name).second);  // one pod per ticket
    }
    REQUIRE(plan.assignments.size() + plan.fallbacks.size() + plan.waiting.size() == pods.size());
    std::shuffle(observed.pods.begin(), observed.pods.end(), random);
    std::shuffle(observed.rooms.begin(), observed.rooms.end(), random);
    REQUIRE(Pairs(DecideClaims(observed)) == Pairs(plan));
  }
}

}  // namespace
}  // namespace korder::ticket
