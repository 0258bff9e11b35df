// Each invariant can fail: a world that breaks it, and what is said of it.
#include "invariants.h"

#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "network.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::simulation {
namespace {

constexpr char kTicketService[] = "korder-ticket-svc-0";

struct Scene {
  Scene() {
    api::Node node;
    node.metadata.name = "n1";
    node.status.allocatable = {{"cpu", *api::Quantity::Parse("1")},
                               {"memory", *api::Quantity::Parse("4Gi")}};
    node.status.conditions = {{.type = "Ready",
                               .status = "True",
                               .last_transition_time = {},
                               .reason = "",
                               .message = ""}};
    REQUIRE(world.Create("test", node));
    REQUIRE(world.Patch<api::Node>("test", {"", "n1"},
                                   absl::StrCat(R"({"status":)", json::Print(node.status), "}"),
                                   "status"));
  }

  api::Ticket MakeTicket(const std::string& name, const std::string& grant = "") {
    api::Ticket ticket;
    ticket.metadata.ns = "default";
    ticket.metadata.name = name;
    ticket.metadata.annotations[std::string(api::kAnnotationGrant)] = grant;
    ticket.spec.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
    REQUIRE(world.Create("test", ticket));
    return *world.tickets.Find({"default", name});
  }
  api::Ticket SetStatus(const std::string& name, const std::string& status) {
    REQUIRE(world.Patch<api::Ticket>(kTicketService, {"default", name},
                                     absl::StrCat(R"({"status":)", status, "}"), "status"));
    return *world.tickets.Find({"default", name});
  }
  api::Pod MakeGuardian(const api::Ticket& ticket) {
    const api::Pod pod = ticket::GuardianPod(ticket::Reduced(ticket), 1,
                                             {.image = "pause", .priority_class = kGuardianClass});
    REQUIRE(world.Create(kTicketService, pod));
    return *world.pods.Find(kube::KeyOf(pod));
  }
  api::Pod MakePod(const std::string& name, bool gated) {
    api::Pod pod;
    pod.metadata.ns = "default";
    pod.metadata.name = name;
    api::Container container;
    container.name = "c";
    container.image = "c";
    container.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
    pod.spec.containers = {container};
    if (gated) {
      pod.spec.scheduling_gates = {{std::string(api::kGateClaim)}};
    }
    REQUIRE(world.Create("test", pod));
    return *world.pods.Find({"default", name});
  }
  void Bind(const std::string& name) {
    REQUIRE(world.Did(
        "scheduler",
        {.method = "POST",
         .target = "/api/v1/namespaces/default/pods/" + name + "/binding",
         .content_type = "application/json",
         .body = absl::StrCat(R"({"apiVersion":"v1","kind":"Binding","metadata":{"name":")", name,
                              R"("},"target":{"kind":"Node","name":"n1"}})")}));
  }
  void Run(const std::string& name) {
    Bind(name);
    REQUIRE(world.Patch<api::Pod>("kubelet", {"default", name}, R"({"status":{"phase":"Running"}})",
                                  "status"));
  }
  // A Ready ticket with its guardian on the node.
  api::Ticket MakeReady(const std::string& name) {
    const api::Pod& guardian = MakeGuardian(MakeTicket(name));
    Run(guardian.metadata.name);
    return SetStatus(name,
                     absl::StrCat(R"({"phase":"Ready","nodeName":"n1","incarnation":1,)",
                                  R"("guardianPod":"default/)", guardian.metadata.name, R"("})"));
  }
  // ... that is promised to a gated pod.
  void Promise(const std::string& name, const api::Pod& pod) {
    const api::Ticket& ticket = MakeReady(name);
    const api::Pod& guardian = *world.pods.Find({"default", name + "-g1"});
    SetStatus(ticket.metadata.name,
              absl::StrCat(R"({"phase":"Claimed","claimedPod":"default/)", pod.metadata.name,
                           R"(","claimedPodUID":")", pod.metadata.uid,
                           R"(","handoff":{"id":"h","podUID":")", pod.metadata.uid,
                           R"(","guardianUID":")", guardian.metadata.uid, R"(","node":"n1"}})"));
  }
  bool DeletePod(const std::string& who, const std::string& name) {
    return world.Delete<api::Pod>(
        who, {"default", name},
        {.uid = "", .resource_version = "", .grace_period_seconds = 0, .propagation_policy = ""});
  }
  // "I5" of what is broken, or "".
  std::string Broken() const { return invariants.broken() ? invariants.broken()->invariant : ""; }

  Machine machine{1};
  HostScope host{machine};
  MachineClock clock{machine};
  World world{clock};
  Network network{machine, world, 1};
  Peers peers{machine, network, 1};
  SchedulerModel scheduler{machine, world, 37, 1};
  Invariants invariants{machine, world, scheduler, peers};
};

TEST_CASE("invariants: more tickets than a quota allows", "[simulation]") {
  Scene scene;
  api::Quota quota;
  quota.metadata.name = "one";
  quota.spec.hard["tickets"].text = "1";
  REQUIRE(scene.world.Create("test", quota));
  scene.machine.After(absl::Minutes(5), [] {});
  while (scene.machine.Turn()) {
  }
  scene.MakeTicket("a");
  scene.MakeTicket("b");
  scene.SetStatus("a", R"({"incarnation":1})");
  CHECK(scene.Broken().empty());
  scene.SetStatus("b", R"({"incarnation":1})");
  CHECK(scene.Broken() == "I1");
}

TEST_CASE("invariants: a ticket is not counted beside the grant that names it", "[simulation]") {
  Scene scene;
  api::Quota quota;
  quota.metadata.name = "one";
  quota.spec.hard["tickets"].text = "1";
  REQUIRE(scene.world.Create("test", quota));
  scene.machine.After(absl::Minutes(5), [] {});
  while (scene.machine.Turn()) {
  }
  quota::Claim claim;
  claim.ns = "default";
  quota::Grant grant;
  grant.id = "0001";
  grant.claim = std::make_shared<const quota::Claim>(claim);
  grant.ticket_name = "a";
  api::ConfigMap ledger;
  ledger.metadata.ns = kSystemNamespace;
  ledger.metadata.name = "korder-quota-ledger";
  ledger.data["ledger"] = quota::Encode({.epoch = 1, .writer = "w", .grants = {grant}});
  REQUIRE(scene.world.Create("w", ledger));
  scene.MakeTicket("a", grant.id);
  scene.SetStatus("a", R"({"incarnation":1})");
  CHECK(scene.Broken().empty());
  scene.MakeTicket("b", grant.id);
  scene.SetStatus("b", R"({"incarnation":1})");
  CHECK(scene.Broken() == "I1");
}

TEST_CASE("invariants: a ledger that an older leader has overwritten", "[simulation]") {
  Scene scene;
  api::ConfigMap ledger;
  ledger.metadata.ns = kSystemNamespace;
  ledger.metadata.name = "korder-quota-ledger";
  ledger.data["ledger"] = quota::Encode({.epoch = 2, .writer = "new"});
  REQUIRE(scene.world.Create("new", ledger));
  CHECK(scene.Broken().empty());
  ledger.data["ledger"] = quota::Encode({.epoch = 1, .writer = "old"});
  REQUIRE(scene.world.Patch<api::ConfigMap>(
      "old", kube::KeyOf(ledger), absl::StrCat(R"({"data":)", json::Print(ledger.data), "}")));
  CHECK(scene.Broken() == "I11");
}

TEST_CASE("invariants: two tickets of one pod", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.MakeTicket("b");
  const std::string claimed = R"({"phase":"Claimed","claimedPod":"default/p","claimedPodUID":"u"})";
  scene.SetStatus("a", claimed);
  CHECK(scene.Broken().empty());
  scene.SetStatus("b", claimed);
  CHECK(scene.Broken() == "I4");
}

TEST_CASE("invariants: a ticket that is Ready before its guardian has run", "[simulation]") {
  Scene scene;
  scene.MakeReady("a");
  CHECK(scene.Broken().empty());
  scene.MakeTicket("b");
  scene.SetStatus("b", R"({"phase":"Ready","nodeName":"n1","guardianPod":"default/b-g1"})");
  CHECK(scene.Broken() == "I5");
}

TEST_CASE("invariants: a guardian that is given up for a pod without a nomination",
          "[simulation]") {
  Scene scene;
  const api::Pod pod = scene.MakePod("p", true);
  scene.Promise("a", pod);
  REQUIRE(scene.DeletePod(kTicketService, "a-g1"));
  CHECK(scene.Broken() == "I6");
}

TEST_CASE("invariants: a gate that is open before the guardian is gone", "[simulation]") {
  Scene scene;
  const api::Pod pod = scene.MakePod("p", false);
  REQUIRE(scene.world.Patch<api::Pod>("test", {"default", "p"},
                                      R"({"status":{"nominatedNodeName":"n1"}})", "status"));
  scene.Promise("a", pod);
  REQUIRE(scene.DeletePod(kTicketService, "a-g1"));
  CHECK(scene.Broken() == "I6");
}

TEST_CASE("invariants: the guardian of a Ready ticket that ticket-svc deletes for nobody",
          "[simulation]") {
  Scene scene;
  scene.MakeReady("a");
  REQUIRE(scene.DeletePod(kTicketService, "a-g1"));
  CHECK(scene.Broken() == "I6");
}

TEST_CASE("invariants: a thief in the room of a pod on its way", "[simulation]") {
  Scene scene;
  const api::Pod pod = scene.MakePod("p", true);
  REQUIRE(scene.world.Patch<api::Pod>("test", {"default", "p"},
                                      R"({"status":{"nominatedNodeName":"n1"}})", "status"));
  scene.machine.After(absl::Minutes(1), [] {});
  while (scene.machine.Turn()) {
  }
  scene.Promise("a", pod);
  REQUIRE(scene.DeletePod(kTicketService, "a-g1"));
  CHECK(scene.Broken().empty());
  scene.MakePod("thief", false);
  scene.Bind("thief");
  CHECK(scene.Broken() == "I7");
}

TEST_CASE("invariants: a ticket that is over and comes back", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.SetStatus("a", R"({"phase":"Expired"})");
  CHECK(scene.Broken().empty());
  scene.SetStatus("a", R"({"phase":"Pending"})");
  CHECK(scene.Broken() == "I9");
}

TEST_CASE("invariants: a ticket that expires before its time", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.SetStatus("a", R"({"phase":"Expired","expirationTime":"2099-01-01T00:00:00Z"})");
  CHECK(scene.Broken() == "I9");
}

// The scene's clock shows 08:00:00 on 15 January 2027.
TEST_CASE("invariants: a window that is made shorter, or begins again", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.SetStatus("a", R"({"activationTime":"2027-01-15T08:00:00Z"})");
  scene.SetStatus(
      "a", R"({"activationTime":"2027-01-15T08:00:00Z","expirationTime":"2027-01-15T09:00:00Z"})");
  CHECK(scene.Broken() == "I9");
  Scene another;
  another.MakeTicket("a");
  another.SetStatus("a", R"({"activationTime":"2027-01-15T08:00:00Z"})");
  CHECK(another.Broken().empty());
  another.SetStatus("a", R"({"activationTime":"2027-01-15T08:00:01Z"})");
  CHECK(another.Broken() == "I9");
}

TEST_CASE("invariants: a ticket that is claimed, or held, before its window", "[simulation]") {
  const auto make = [](Scene& scene, const std::string& start) {
    api::Ticket ticket;
    ticket.metadata.ns = "default";
    ticket.metadata.name = "a";
    ticket.metadata.annotations = {{std::string(api::kAnnotationLeadTime), "1m"}};
    ticket.spec.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
    std::string error;
    absl::Time time;
    REQUIRE(absl::ParseTime(absl::RFC3339_full, start, &time, &error));
    ticket.spec.start_time = time;
    REQUIRE(scene.world.Create("test", ticket));
    return *scene.world.tickets.Find({"default", "a"});
  };
  SECTION("its guardian comes before the lead time") {
    Scene scene;
    scene.MakeGuardian(make(scene, "2027-01-15T09:03:00Z"));
    CHECK(scene.Broken() == "I9");
  }
  SECTION("a pod gets it in the lead time") {
    Scene scene;
    scene.MakeGuardian(make(scene, "2027-01-15T09:01:00Z"));
    CHECK(scene.Broken().empty());
    scene.SetStatus("a", R"({"phase":"Claimed"})");
    CHECK(scene.Broken() == "I9");
  }
}

TEST_CASE("invariants: a ticket for a moment that the order's schedule does not name",
          "[simulation]") {
  Scene scene;
  api::Order order;
  order.metadata.ns = "default";
  order.metadata.name = "web";
  order.spec.strategy.type = api::StrategyType::kScheduled;
  order.spec.strategy.schedule = "30 9 * * *";
  REQUIRE(scene.world.Create("test", order));
  api::Ticket ticket;
  ticket.metadata.ns = "default";
  ticket.metadata.owner_references = {
      {.api_version = std::string(api::kApiVersion),
       .kind = "Order",
       .name = "web",
       .uid = scene.world.orders.Find({"default", "web"})->metadata.uid,
       .controller = true}};
  ticket.metadata.name = "web-0";
  ticket.spec.start_time =
      absl::FromCivil(absl::CivilMinute(2027, 1, 15, 9, 30), absl::UTCTimeZone());
  REQUIRE(scene.world.Create("test", ticket));
  CHECK(scene.Broken().empty());
  ticket.metadata.name = "web-1";
  *ticket.spec.start_time += absl::Minutes(1);
  REQUIRE(scene.world.Create("test", ticket));
  CHECK(scene.Broken() == "I9");
}

TEST_CASE("invariants: a status that goes back to an older spec", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.SetStatus("a", R"({"observedGeneration":2})");
  CHECK(scene.Broken().empty());
  scene.SetStatus("a", R"({"observedGeneration":1})");
  CHECK(scene.Broken() == "I12");
}

TEST_CASE("invariants: at rest a ticket whose window is over and that lives on", "[simulation]") {
  Scene scene;
  scene.MakeTicket("a");
  scene.SetStatus(
      "a", R"({"activationTime":"2027-01-15T07:00:00Z","expirationTime":"2027-01-15T07:30:00Z"})");
  CHECK(scene.Broken().empty());
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken() == "I9");
}

TEST_CASE("invariants: at rest a window, or a node, without its ticket", "[simulation]") {
  Scene scene;
  api::Order order;
  order.metadata.ns = "default";
  order.metadata.name = "web";
  order.spec.ticket_template.spec.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
  SECTION("it is open") {
    order.spec.strategy.type = api::StrategyType::kScheduled;
    order.spec.strategy.schedule = "0 7 * * *";
    REQUIRE(scene.world.Create("test", order));
    scene.invariants.CheckAtRest();
    CHECK(scene.Broken() == "I13");
  }
  SECTION("it is not open yet") {
    order.spec.strategy.type = api::StrategyType::kScheduled;
    order.spec.strategy.schedule = "0 9 * * *";
    order.spec.ticket_template.spec.duration = absl::Hours(1);
    REQUIRE(scene.world.Create("test", order));
    scene.invariants.CheckAtRest();
    CHECK(scene.Broken().empty());
  }
  SECTION("the order wants one on each node") {
    order.spec.replicas = 0;
    order.spec.daemon_set = true;
    REQUIRE(scene.world.Create("test", order));
    scene.invariants.CheckAtRest();
    CHECK(scene.Broken() == "I13");
  }
}

TEST_CASE("invariants: at rest a guardian that holds room for nobody", "[simulation]") {
  Scene scene;
  scene.MakeReady("a");
  scene.SetStatus("a", R"({"phase":"Completed"})");
  CHECK(scene.Broken().empty());
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken() == "I8");
}

TEST_CASE("invariants: at rest a Ready ticket whose guardian is gone", "[simulation]") {
  Scene scene;
  scene.MakeReady("a");
  REQUIRE(scene.DeletePod("somebody", "a-g1"));
  CHECK(scene.Broken().empty());
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken() == "I5");
}

TEST_CASE("invariants: at rest an order without its tickets", "[simulation]") {
  Scene scene;
  api::Order order;
  order.metadata.ns = "default";
  order.metadata.name = "web";
  order.spec.replicas = 1;
  order.spec.ticket_template.spec.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
  REQUIRE(scene.world.Create("test", order));
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken() == "I13");
}

TEST_CASE("invariants: at rest a pod that waits although a ticket is free", "[simulation]") {
  Scene scene;
  const api::Pod& pod = scene.MakePod("p", true);
  REQUIRE(scene.world.Patch<api::Pod>(
      "test", kube::KeyOf(pod), R"({"metadata":{"annotations":{"korder.dev/fallback":"wait"}}})"));
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken().empty());
  scene.MakeReady("a");
  scene.invariants.CheckAtRest();
  CHECK(scene.Broken() == "I13");
}

TEST_CASE("invariants: an answer of the ledger that nothing proves", "[simulation]") {
  Scene scene;
  const Process a{.name = "a"};
  const Process b{.name = "b"};
  scene.peers.on_answer({a, b, 1, {"grant-1"}});
  CHECK(scene.Broken() == "I15");
}

}  // namespace
}  // namespace korder::simulation
