#include "order-svc/order_ticket.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "order-svc/testing/world.h"

namespace korder::order {
namespace {

using Change = std::function<void(api::Ticket& ticket)>;

// Of an order with everything that a template may have.
api::Order MakeOrder() {
  World world(1);
  api::Order order = world.order();
  api::TicketTemplate& tmpl = order.spec.ticket_template;
  tmpl.metadata.annotations = {{"team", "shop"}};
  tmpl.spec.duration = absl::Hours(1);
  tmpl.spec.priority_class_name = "high";
  tmpl.spec.node_selector = {{"zone", "a"}};
  tmpl.spec.tolerations = {{.key = "gpu", .op = "Exists"}};
  return order;
}

api::Ticket MakeReady(const api::Order& order, int64_t ordinal, const Cell& cell = {}) {
  api::Ticket ticket = MakeTicket(order, cell, ordinal, kNow);
  ticket.metadata.uid = absl::StrCat("uid-", ordinal);
  ticket.metadata.resource_version = absl::StrCat(ordinal);
  ticket.metadata.annotations["korder.dev/grant"] = absl::StrCat("grant-", ordinal);
  api::TicketStatus& status = ticket.status;
  status.phase = api::TicketPhase::kReady;
  status.activation_time = kNow;
  status.expiration_time = kNow + absl::Hours(1);
  status.guardian_pod = absl::StrCat("default/guardian-", ordinal);
  status.node_name = absl::StrCat("n", ordinal);
  status.incarnation = 1;
  for (const std::string_view type : {api::kConditionReady, api::kConditionScheduled}) {
    api::SetCondition(status.conditions,
                      {.type = std::string(type),
                       .status = api::ConditionStatus::kTrue,
                       .reason = std::string(api::kReasonGuardianRunning)},
                      kNow);
  }
  return ticket;
}

void Renew(absl::Duration duration, api::Ticket& ticket) {
  ticket.spec.duration = duration;
  ticket.metadata.annotations["korder.dev/renewed"] = "2027-01-15T08:00:00Z";
}

// What order-svc decides by.
std::vector<Change> ChangesThatMatter() {
  return {
      [](api::Ticket& t) { t.metadata.name = "web-8"; },
      [](api::Ticket& t) { t.metadata.ns = "other"; },
      [](api::Ticket& t) { t.metadata.uid = "another"; },
      [](api::Ticket& t) { t.metadata.resource_version = "4711"; },
      [](api::Ticket& t) { t.metadata.deletion_timestamp = kNow; },
      [](api::Ticket& t) { t.metadata.labels["korder.dev/occurrence"] = "20270115T080000Z"; },
      [](api::Ticket& t) { t.metadata.annotations["korder.dev/template"] = "0"; },
      [](api::Ticket& t) { t.metadata.annotations.erase("korder.dev/template"); },
      [](api::Ticket& t) { t.metadata.owner_references[0].uid = "another"; },
      [](api::Ticket& t) { t.metadata.owner_references[0].name = "another"; },
      [](api::Ticket& t) { t.metadata.owner_references.clear(); },
      [](api::Ticket& t) { t.spec.node_name = "n1"; },
      [](api::Ticket& t) { t.spec.duration = absl::Hours(2); },
      [](api::Ticket& t) { t.spec.duration.reset(); },
      [](api::Ticket& t) { t.spec.start_time = kNow; },
      [](api::Ticket& t) { t.spec.priority_class_name = "low"; },
      [](api::Ticket& t) { t.spec.scheduler_name = "mine"; },
      [](api::Ticket& t) { t.spec.lifecycle.ttl_seconds_after_finished = 1; },
      [](api::Ticket& t) { t.spec.resources.requests["cpu"] = api::Quantity::FromInt(2); },
      [](api::Ticket& t) { t.spec.resources.limits["cpu"] = api::Quantity::FromInt(2); },
      [](api::Ticket& t) { t.spec.node_selector.clear(); },
      [](api::Ticket& t) { t.spec.tolerations.clear(); },
      [](api::Ticket& t) { t.spec.affinity.emplace(); },
      [](api::Ticket& t) { t.spec.topology_spread_constraints.emplace_back(); },
      [](api::Ticket& t) { Renew(absl::Hours(3), t); },
      [](api::Ticket& t) { t.status.phase = api::TicketPhase::kClaimed; },
      [](api::Ticket& t) { t.status.reason = "Unschedulable"; },
      [](api::Ticket& t) { t.status.message = "no node is large enough"; },
      [](api::Ticket& t) { t.status.activation_time.reset(); },
      [](api::Ticket& t) { t.status.finished_time = kNow; },
      [](api::Ticket& t) { t.status.handoff = api::TicketHandoff{.id = "h"}; },
      [](api::Ticket& t) { t.status.conditions.clear(); },
      [](api::Ticket& t) { t.status.conditions[0].last_transition_time += absl::Seconds(1); },
  };
}

// What may change without waking anybody's interest, and takes no memory.
std::vector<Change> ChangesThatDoNot() {
  return {
      [](api::Ticket& t) { t.metadata.annotations["korder.dev/grant"] = "another"; },
      [](api::Ticket& t) { t.metadata.annotations["by-hand"] = "yes"; },
      [](api::Ticket& t) { t.metadata.labels["by-hand"] = "yes"; },
      [](api::Ticket& t) { t.metadata.labels["korder.dev/node"] = "n7"; },
      [](api::Ticket& t) { t.metadata.finalizers = {"a/b"}; },
      [](api::Ticket& t) { t.metadata.generation = 7; },
      [](api::Ticket& t) { t.status.node_name = "n8"; },
      [](api::Ticket& t) { t.status.guardian_pod = "default/another"; },
      [](api::Ticket& t) { t.status.claimed_pod = "default/shop"; },
      [](api::Ticket& t) { t.status.expiration_time = kNow + absl::Hours(2); },
      [](api::Ticket& t) { t.status.incarnation = 2; },
      [](api::Ticket& t) { t.status.conditions.pop_back(); },
      [](api::Ticket& t) { t.status.conditions[0].observed_generation = 7; },
  };
}

OrderTicket Read(const api::Ticket& ticket) {
  OrderTicket read;
  REQUIRE(json::Parse(json::Print(ticket), read).ok());
  return read;
}

}  // namespace

TEST_CASE("order ticket: nothing that order-svc decides by is lost, and nothing else is kept",
          "[order][ticket]") {
  const api::Ticket ticket = MakeReady(MakeOrder(), 7);
  for (const Change& change : ChangesThatMatter()) {
    api::Ticket changed = ticket;
    change(changed);
    INFO(json::Print(changed));
    CHECK_FALSE(Reduced(changed) == Reduced(ticket));
    CHECK(Read(changed) == Reduced(changed));
  }
  for (const Change& change : ChangesThatDoNot()) {
    api::Ticket changed = ticket;
    change(changed);
    INFO(json::Print(changed));
    CHECK(Reduced(changed) == Reduced(ticket));
    CHECK(Read(changed) == Reduced(changed));
  }
}

TEST_CASE("order ticket: it is Ready since its condition tells, and not when it is not Ready",
          "[order][ticket]") {
  api::Ticket ticket = MakeReady(MakeOrder(), 7);
  CHECK(Reduced(ticket).ready_since == kNow);
  ticket.status.conditions.clear();
  CHECK(Reduced(ticket).ready_since == absl::InfinitePast());
  ticket.status.phase = api::TicketPhase::kClaimed;
  CHECK(Reduced(ticket).ready_since == std::nullopt);
}

TEST_CASE("order ticket: the tickets of a template share one form", "[order][ticket]") {
  api::Order order = MakeOrder();
  const auto form = Reduced(MakeReady(order, 7)).form;
  CHECK(Reduced(MakeReady(order, 8)).form == form);
  CHECK(Read(MakeReady(order, 9)).form == form);
  order.spec.ticket_template.spec.duration = absl::Hours(2);
  CHECK(Reduced(MakeReady(order, 8)).form != form);
}

TEST_CASE(
    "order ticket: one of an older korder, without a digest, is told by labels and annotations",
    "[order][ticket]") {
  const api::Order order = MakeOrder();
  api::Ticket ticket = MakeReady(order, 1);
  ticket.metadata.annotations.erase("korder.dev/template");
  CHECK(TemplateMatcher(order).Matches(Reduced(ticket)));
  api::Ticket other_node = ticket;
  other_node.metadata.labels["korder.dev/node"] = "n1";
  other_node.metadata.annotations["korder.dev/grant"] = "another";
  CHECK(Reduced(other_node).form == Reduced(ticket).form);
  SECTION("labels") { ticket.metadata.labels["app"] = "bank"; }
  SECTION("annotations") { ticket.metadata.annotations.erase("team"); }
  CHECK_FALSE(TemplateMatcher(order).Matches(Reduced(ticket)));
}

TEST_CASE("order ticket: of those that are no order's, no form is kept", "[order][ticket]") {
  api::Ticket one = MakeReady(MakeOrder(), 1);
  one.metadata.owner_references.clear();
  api::Ticket other = one;
  other.metadata.labels["app"] = "bank";
  other.spec.priority_class_name = "low";
  CHECK(Reduced(one).form == Reduced(other).form);
  CHECK(OwnerIndex(Reduced(one)).empty());
  CHECK(OwnerIndex(Reduced(MakeReady(MakeOrder(), 1))) == kube::IndexValues{"order-uid"});
}

TEST_CASE("order ticket: those of all nodes share one form", "[order][ticket]") {
  api::Order order = MakeOrder();
  order.spec.daemon_set = true;
  const OrderTicket one = Reduced(MakeReady(order, 1, {.node = "n1"}));
  const OrderTicket other = Reduced(MakeReady(order, 2, {.node = "n2"}));
  CHECK(one.form == other.form);
  CHECK(one.node_name == "n1");
  CHECK(other.node_name == "n2");
}

TEST_CASE("order ticket: those of one occurrence share one form", "[order][ticket]") {
  api::Order order = MakeOrder();
  order.spec.strategy.type = api::StrategyType::kScheduled;
  const OrderTicket one = Reduced(MakeReady(order, 1, {.occurrence = kNow}));
  CHECK(one.form == Reduced(MakeReady(order, 2, {.occurrence = kNow})).form);
  CHECK(one.form != Reduced(MakeReady(order, 3, {.occurrence = kNow + absl::Hours(1)})).form);
  CHECK(OccurrenceOf(order, one) == kNow);
  CHECK(OccurrenceOf(order, Reduced(MakeReady(order, 4))) == std::nullopt);
  CHECK(OccurrenceOf(MakeOrder(), one) == kNoOccurrence);
}

TEST_CASE("order ticket: renewed ones share one form, however long they last", "[order][ticket]") {
  const api::Order order = MakeOrder();
  api::Ticket first = MakeReady(order, 1);
  api::Ticket second = MakeReady(order, 2);
  Renew(absl::Hours(3), first);
  Renew(absl::Hours(4), second);
  CHECK(Reduced(first).form == Reduced(second).form);
  CHECK(Reduced(first).duration() == absl::Hours(3));
  CHECK(Reduced(second).duration() == absl::Hours(4));
  CHECK(Reduced(first).renewal->tick == absl::FromUnixSeconds(1'800'000'000));
  CHECK(Reduced(MakeReady(order, 3)).duration() == absl::Hours(1));
}

TEST_CASE("order ticket: a renewal and, with daemonSet, a node are no other template",
          "[order][ticket]") {
  api::Order order = MakeOrder();
  api::Ticket ticket = MakeReady(order, 1);
  CHECK(TemplateMatcher(order).Matches(Reduced(ticket)));
  ticket.spec.duration = absl::Hours(3);
  CHECK_FALSE(TemplateMatcher(order).Matches(Reduced(ticket)));
  Renew(absl::Hours(3), ticket);
  CHECK(TemplateMatcher(order).Matches(Reduced(ticket)));
  order.spec.ticket_template.spec.node_name = "n1";
  CHECK_FALSE(TemplateMatcher(order).Matches(Reduced(ticket)));
  ticket.spec.node_name = "n1";
  CHECK(TemplateMatcher(order).Matches(Reduced(ticket)));
}

TEST_CASE("order ticket: one matcher tells the tickets of several forms and nodes apart",
          "[order][ticket]") {
  api::Order order = MakeOrder();
  TemplateMatcher matcher(order);
  const OrderTicket good = Reduced(MakeReady(order, 1));
  api::Ticket changed = MakeReady(order, 2);
  changed.spec.priority_class_name = "low";
  const OrderTicket bad = Reduced(changed);
  OrderTicket elsewhere = good;
  elsewhere.node_name = "n2";
  for (int look = 0; look < 2; ++look) {
    CHECK(matcher.Matches(good));
    CHECK_FALSE(matcher.Matches(bad));
    CHECK_FALSE(matcher.Matches(elsewhere));
  }
}

}  // namespace korder::order
