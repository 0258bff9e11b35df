#include "order-svc/decide.h"

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "api/meta/condition.h"
#include "api/v1alpha1/reasons.h"
#include "order-svc/books.h"
#include "order-svc/order_status.h"
#include "order-svc/testing/world.h"
#include "order-svc/ticket_form.h"

namespace korder::order {
namespace {

using api::RefreshPolicy;
using api::TicketPhase;

using Names = std::vector<std::string>;

TEST_CASE("order decide: a new order creates exactly its replicas, owned and labelled",
          "[order][decide]") {
  World world(3);
  const Plan plan = world.Turn();
  CHECK(world.Names() == Names{"web-0", "web-1", "web-2"});
  const api::Ticket ticket = world.Make(plan.create[0]);
  CHECK(ticket.metadata.labels.at("app") == "shop");
  CHECK(ticket.metadata.labels.at("korder.dev/order") == "web");
  REQUIRE(ticket.metadata.owner_references.size() == 1);
  CHECK(ticket.metadata.owner_references[0].uid == "order-uid");
  CHECK(ticket.metadata.owner_references[0].controller == true);
}

TEST_CASE("order decide: the second look at the same state does nothing", "[order][decide]") {
  World world(3);
  world.Turn();
  const Plan again = world.Turn();
  CHECK(again.create.empty());
  CHECK(again.remove.empty());
}

api::Node NodeMade(const std::string& name, absl::Time made) {
  api::Node node;
  node.metadata.name = name;
  node.metadata.creation_timestamp = made;
  return node;
}

TEST_CASE("order decide: a node that ticket-svc saw deleted is not used up, however late we see it",
          "[order][decide]") {
  World world(0);
  world.order().spec.daemon_set = true;
  world.nodes() = {NodeMade("n0", kNow - absl::Hours(1)), NodeMade("n1", kNow - absl::Hours(1))};
  world.Turn();
  world.AllBecomeReady();
  REQUIRE(world.Find("web-1").spec.node_name == "n1");
  world.Wait(absl::Seconds(10));
  world.Finish("web-1", TicketPhase::kFailed, std::string(api::kReasonNodeDeleted));

  SECTION("the node is seen deleted, and comes back after a crash") {
    CHECK(world.Turn().create.empty());
    CHECK(world.order().status.desired_replicas == 1);
    CHECK(world.order().status.used_nodes.empty());
    world.Drop("web-1");
    world.Restart();
    world.Wait(absl::Seconds(5));
    world.nodes()[1] = NodeMade("n1", world.now());
    CHECK(world.Turn().create.size() == 1);
    CHECK(world.Find("web-2").spec.node_name == "n1");
  }
  SECTION("the node is back before the ticket is gone") {
    world.Wait(absl::Seconds(1));
    world.nodes()[1] = NodeMade("n1", world.now());
    CHECK(world.Turn().create.size() == 1);
  }
  SECTION("the node was there all the time, or its clock says so") {
    const Plan plan = world.Turn();
    CHECK(plan.create.empty());
    CHECK(plan.requeue_after == absl::Seconds(30));
    world.Wait(absl::Seconds(29));
    CHECK(world.Turn().create.empty());
    world.Wait(absl::Seconds(1));
    CHECK(world.Turn().create.size() == 1);
  }
}

TEST_CASE("order decide: which tickets are replaced depends on the refresh policy",
          "[order][decide]") {
  struct Case {
    const char* name;
    RefreshPolicy policy;
    TicketPhase phase;
    bool want_replaced;
  };
  const Case cases[] = {
      {"Never: claimed", RefreshPolicy::kNever, TicketPhase::kClaimed, false},
      {"Never: expired", RefreshPolicy::kNever, TicketPhase::kExpired, false},
      {"OnClaim: claimed", RefreshPolicy::kOnClaim, TicketPhase::kClaimed, true},
      {"OnClaim: completed", RefreshPolicy::kOnClaim, TicketPhase::kCompleted, true},
      {"OnClaim: expired", RefreshPolicy::kOnClaim, TicketPhase::kExpired, false},
      {"OnClaim: failed", RefreshPolicy::kOnClaim, TicketPhase::kFailed, false},
      {"Always: claimed", RefreshPolicy::kAlways, TicketPhase::kClaimed, true},
      {"Always: expired", RefreshPolicy::kAlways, TicketPhase::kExpired, true},
      {"Always: failed", RefreshPolicy::kAlways, TicketPhase::kFailed, true},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      World world(2, c.policy);
      world.Turn();
      world.Turn();
      world.SetPhase("web-0", c.phase);
      CHECK(world.Turn().create.size() == (c.want_replaced ? 1 : 0));
      CHECK(world.Turn().create.empty());
    }
  }
}

TEST_CASE("order decide: a deleted ticket is replaced with Always only", "[order][decide]") {
  for (const RefreshPolicy policy :
       {RefreshPolicy::kNever, RefreshPolicy::kOnClaim, RefreshPolicy::kAlways}) {
    World world(2, policy);
    world.Turn();
    world.Turn();
    world.Drop("web-1");
    CHECK(world.Turn().create.size() == (policy == RefreshPolicy::kAlways ? 1 : 0));
  }
}

TEST_CASE("order decide: an expired ticket stays used up after its deletion and a restart",
          "[order][decide]") {
  World world(2);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kExpired);
  world.Turn();
  world.Drop("web-0");
  world.Restart();
  CHECK(world.Turn().create.empty());
}

TEST_CASE("order decide: a claimed ticket is replaced once, also over its end and a restart",
          "[order][decide]") {
  World world(2);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kClaimed);
  world.Turn();
  CHECK(world.Names() == Names{"web-0", "web-1", "web-2"});
  world.SetPhase("web-0", TicketPhase::kCompleted);
  world.Turn();
  world.Drop("web-0");
  world.Restart();
  world.Turn();
  CHECK(world.Names() == Names{"web-1", "web-2"});
}

TEST_CASE("order decide: tickets made just before a crash are counted, not made again",
          "[order][decide]") {
  World world(3);
  const api::OrderStatus before = world.order().status;
  world.Turn();
  world.order().status = before;  // the status write did not happen
  world.Restart();
  std::reverse(world.tickets().begin(), world.tickets().end());  // a store has no order
  CHECK(world.Turn().create.empty());
  CHECK(world.order().status.slots == "0-2");
}

TEST_CASE("order decide: a creation of unknown outcome is tried again under the same name",
          "[order][decide]") {
  World world(3);
  const Plan plan = Decide(world.Look());
  Memory memory = Remember(plan, {.created = {0, 2}, .failed = {1}}, kNow);
  Observed again = world.Look();
  again.memory = memory;
  const Plan retry = Decide(again);
  REQUIRE(retry.create.size() == 1);
  CHECK(retry.create[0].ordinal == 1);

  // It was there after all: it counts, nothing more is made.
  api::Ticket made = world.Make(plan.create[1]);
  again.tickets.push_back(std::make_shared<OrderTicket>(Reduced(made)));
  CHECK(Decide(again).create.empty());
  // Also for a successor that knows the status only.
  again.memory.reset();
  auto order = std::make_shared<api::Order>(world.order());
  order->status.slots = "0,2";
  order->status.next_ordinal = 3;
  again.order = order;
  CHECK(Decide(again).create.empty());
}

TEST_CASE("order status: quota-svc that stays away is the cause of not being Ready",
          "[order][status]") {
  World world(3);
  const Observed observed = world.Look();
  Plan plan = Decide(observed);
  const Outcome outcome{.no_ledger = "connection refused"};
  const auto ready = [&](absl::Time now) {
    const api::OrderStatus status =
        Settle(*observed.order, plan, outcome, Remember(plan, outcome, now), now);
    return api::FindCondition(status.conditions, "Ready")->reason;
  };
  CHECK(ready(kNow) == "TicketsNotReady");
  plan.memory = Remember(plan, outcome, kNow);
  CHECK(ready(kNow + absl::Seconds(1)) == "TicketsNotReady");
  CHECK(ready(kNow + absl::Seconds(2)) == "QuotaUnavailable");
  plan.memory = Remember(plan, {}, kNow);
  CHECK_FALSE(plan.memory.no_ledger_since.has_value());
}

TEST_CASE("order decide: a deletion that failed is tried again, one under way is not",
          "[order][decide]") {
  World world(3);
  world.Turn();
  world.order().spec.replicas = 1;
  const Plan plan = Decide(world.Look());
  REQUIRE(plan.remove.size() == 2);
  Observed again = world.Look();  // The store still shows all three.
  again.memory = Remember(plan, {.deleted = {plan.remove[0].ordinal}}, kNow);
  // The other one has become Ready meanwhile, and is chosen all the same.
  const Plan retry = Decide(again);
  REQUIRE(retry.remove.size() == 1);
  CHECK(retry.remove[0] == plan.remove[1]);
}

TEST_CASE("order decide: tickets that the watch has not shown yet are not made twice",
          "[order][decide]") {
  World world(3, RefreshPolicy::kAlways);
  world.Turn();
  world.tickets().clear();  // a stale store
  CHECK(world.Turn().create.empty());
}

TEST_CASE(
    "order decide: scaling down removes Pending before Ready, the newest first, never claimed",
    "[order][decide]") {
  World world(4, RefreshPolicy::kNever);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kClaimed);
  world.SetPhase("web-1", TicketPhase::kReady);
  world.SetPhase("web-2", TicketPhase::kPending);
  world.SetPhase("web-3", TicketPhase::kReady);
  world.order().spec.replicas = 2;
  world.Turn();
  CHECK(world.Names() == Names{"web-0", "web-1"});
  world.order().spec.replicas = 0;
  world.Turn();
  CHECK(world.Names() == Names{"web-0"});
}

TEST_CASE("order decide: a ticket in the middle of a handoff is not scaled away",
          "[order][decide]") {
  World world(1);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kReady);
  world.Find("web-0").status.handoff = api::TicketHandoff{.id = "h1"};
  world.order().spec.replicas = 0;
  world.Turn();
  CHECK(world.Names() == Names{"web-0"});
}

TEST_CASE("order decide: scaling down gives up used slots before it deletes live tickets",
          "[order][decide]") {
  World world(3);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kExpired);
  world.Turn();
  world.order().spec.replicas = 2;
  CHECK(world.Turn().remove.empty());
  world.order().spec.replicas = 3;
  CHECK(world.Turn().create.size() == 1);
}

TEST_CASE("order decide: names are not used again after deletions", "[order][decide]") {
  World world(3);
  world.Turn();
  world.order().spec.replicas = 1;
  world.Turn();
  world.order().spec.replicas = 3;
  world.Restart();
  world.Turn();
  CHECK(world.Names() == Names{"web-0", "web-3", "web-4"});
}

TEST_CASE("order decide: a paused order neither creates nor deletes", "[order][decide]") {
  World world(3);
  world.order().spec.paused = true;
  CHECK(world.Turn().create.empty());
  CHECK(world.Condition(api::kConditionSuspended).status == api::ConditionStatus::kTrue);
  world.order().spec.paused = false;
  CHECK(world.Turn().create.size() == 3);
}

TEST_CASE("order decide: an order that is being deleted makes nothing", "[order][decide]") {
  World world(3);
  world.order().metadata.deletion_timestamp = kNow;
  const Plan plan = Decide(world.Look());
  CHECK(plan.create.empty());
  CHECK(plan.status == world.order().status);
}

TEST_CASE("order decide: an invalid spec is reported once and left alone", "[order][decide]") {
  World world(2);
  world.Turn();
  world.order().spec.strategy.schedule = "0 2 * * *";  // forbidden for OneTime
  const Plan plan = world.Turn();
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].type == "Warning");
  CHECK_THAT(plan.events[0].message, Catch::Contains("spec.strategy.schedule"));
  CHECK(world.Condition(api::kConditionFailure).reason == api::kReasonInvalidSpec);
  CHECK(world.Condition(api::kConditionReady).status == api::ConditionStatus::kFalse);
  CHECK(world.Names().size() == 2);
  CHECK(world.Turn().events.empty());
}

TEST_CASE("order decide: a failure that was mended is no failure any more", "[order][decide]") {
  World world(1);
  world.order().spec.strategy.schedule = "0 2 * * *";
  world.Turn();
  world.order().spec.strategy.schedule.clear();
  world.Turn();
  CHECK(world.Condition(api::kConditionFailure).status == api::ConditionStatus::kFalse);
  CHECK(world.Names().size() == 1);
}

TEST_CASE("order status: counts, and Ready names the first cause", "[order][status]") {
  World world(3);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kReady);
  world.Find("web-1").status.reason = "Unschedulable";
  world.Find("web-1").status.message = "0/3 nodes are available";
  world.Turn();
  const api::OrderStatus& status = world.order().status;
  CHECK(status.replicas == 3);
  CHECK(status.ready_replicas == 1);
  CHECK(status.unavailable_replicas == 2);
  CHECK(status.selector == "korder.dev/order=web");
  CHECK(world.Condition(api::kConditionReady).message ==
        "1 of 3 tickets are available; ticket web-1: Unschedulable: 0/3 nodes are available");
  world.SetPhase("web-1", TicketPhase::kReady);
  world.SetPhase("web-2", TicketPhase::kReady);
  world.Turn();
  CHECK(world.Condition(api::kConditionReady).status == api::ConditionStatus::kTrue);
  CHECK(world.Condition(api::kConditionProgressing).status == api::ConditionStatus::kFalse);
}

TEST_CASE("order status: every condition says which version of the spec it is about",
          "[order][status]") {
  World world(1);
  world.order().metadata.generation = 7;
  world.Turn();
  REQUIRE_FALSE(world.order().status.conditions.empty());
  for (const api::Condition& condition : world.order().status.conditions) {
    INFO(condition.type);
    CHECK(condition.observed_generation == 7);
  }
}

TEST_CASE("order status: an order whose tickets are all used up is Ready, Completed",
          "[order][status]") {
  World world(2, RefreshPolicy::kNever);
  world.Turn();
  world.SetPhase("web-0", TicketPhase::kCompleted);
  world.SetPhase("web-1", TicketPhase::kExpired);
  world.Turn();
  CHECK(world.Condition(api::kConditionReady).status == api::ConditionStatus::kTrue);
  CHECK(world.Condition(api::kConditionReady).reason == api::kReasonCompleted);
}

TEST_CASE("order status: a denial is the cause of not being Ready", "[order][status]") {
  World world(1);
  const Plan plan = Decide(world.Look());
  const Outcome outcome{.denied = "quota team: tickets: used 50 of 50"};
  const api::OrderStatus status =
      Settle(world.order(), plan, outcome, Remember(plan, outcome, kNow), kNow);
  CHECK(api::IsConditionTrue(status.conditions, api::kConditionQuotaLimited));
  CHECK(api::FindCondition(status.conditions, api::kConditionReady)->message ==
        "quota team: tickets: used 50 of 50");
  CHECK(status.slots.empty());
}

// Requests fail, answers get lost, the process dies before its status write, in any combination;
// the tickets come in any order.
TEST_CASE("order decide: under random histories live and used slots never exceed replicas",
          "[order][decide]") {
  std::mt19937 random(11);
  for (int run = 0; run < 100; ++run) {
    World world(static_cast<int>(random() % 6), static_cast<RefreshPolicy>(random() % 3));
    for (int step = 0; step < 60; ++step) {
      if (!world.tickets().empty() && random() % 2 == 0) {
        api::Ticket& ticket = world.tickets()[random() % world.tickets().size()];
        if (!api::IsFinished(ticket.status.phase)) {
          ticket.status.phase = static_cast<TicketPhase>(
              std::min<size_t>(5, static_cast<size_t>(ticket.status.phase) + random() % 3));
        } else if (random() % 2 == 0) {
          world.Drop(ticket.metadata.name);
        }
      }
      if (random() % 10 == 0) {
        world.order().spec.replicas = static_cast<int>(random() % 6);
      }
      if (random() % 10 == 0) {
        world.Restart();
      }
      if (random() % 4 == 0) {
        world.TurnWithFaults(random);
      }
      std::shuffle(world.tickets().begin(), world.tickets().end(), random);
      world.Turn();  // Everything goes well: nothing is left to do afterwards.
      const Plan again = Decide(world.Look());
      REQUIRE(again.create.empty());
      REQUIRE(again.remove.empty());
      const auto live =
          std::count_if(world.tickets().begin(), world.tickets().end(),
                        [](const api::Ticket& t) { return api::IsLive(t.status.phase); });
      REQUIRE(live <= world.order().spec.replicas);
    }
  }
}

TEST_CASE("order decide: a thousand nodes that join at once get a ticket each, in batches",
          "[order][decide]") {
  World world(1);
  world.order().spec.daemon_set = true;
  world.Turn();
  for (int i = 0; i < 1000; ++i) {
    world.nodes().emplace_back().metadata.name = absl::StrCat("node-", i);
  }
  CHECK(world.Turn().create.size() == kBatch);
  CHECK(world.Turn().create.size() == 1000 - kBatch);
  CHECK(world.Turn().create.empty());
  std::set<std::string> nodes;
  for (const api::Ticket& ticket : world.tickets()) {
    nodes.insert(ticket.spec.node_name);
  }
  CHECK(nodes.size() == 1000);
  CHECK(world.order().status.desired_replicas == 1000);
}

TEST_CASE("order decide: a node with a long name gets one ticket", "[order][decide]") {
  World world(1);
  world.order().spec.daemon_set = true;
  world.nodes().resize(2);
  world.nodes()[0].metadata.name = std::string(200, 'n') + ".example";
  world.nodes()[1].metadata.name = std::string(200, 'n') + ".example.org";
  const Plan plan = world.Turn();
  REQUIRE(plan.create.size() == 2);
  std::set<std::string> labels;
  for (const NewTicket& wanted : plan.create) {
    const std::string label = world.Make(wanted).metadata.labels.at("korder.dev/node");
    CHECK(label.size() <= 63);
    labels.insert(label);
  }
  CHECK(labels.size() == 2);
  CHECK(world.Turn().create.empty());
}

TEST_CASE("order decide: another startTime or no end is another template", "[order][decide]") {
  World world(1);
  world.order().spec.ticket_template.spec.duration = absl::Hours(1);
  world.Turn();
  world.AllBecomeReady();
  TemplateMatcher same(world.order());
  CHECK(same.Matches(Reduced(world.tickets()[0])));
  api::Order later = world.order();
  later.spec.ticket_template.spec.start_time = kNow;
  CHECK_FALSE(TemplateMatcher(later).Matches(Reduced(world.tickets()[0])));
  api::Order endless = world.order();
  endless.spec.ticket_template.spec.duration.reset();
  CHECK_FALSE(TemplateMatcher(endless).Matches(Reduced(world.tickets()[0])));
  world.tickets()[0].metadata.labels["by-hand"] = "yes";
  CHECK(same.Matches(Reduced(world.tickets()[0])));
}

TEST_CASE("order decide: long names are shortened to valid label values", "[order][decide]") {
  api::Order order;
  order.metadata.name = std::string(63, 'a');
  CHECK(TicketName(order, 14999).size() <= 63);
  api::Order other;
  other.metadata.name = std::string(62, 'a') + "b";
  CHECK(TicketName(order, 1) != TicketName(other, 1));
}

}  // namespace
}  // namespace korder::order
