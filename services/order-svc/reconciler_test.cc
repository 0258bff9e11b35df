// The shell of order-svc on an API server in memory: what it asks, writes, and remembers.
#include "order-svc/reconciler.h"

#include <algorithm>
#include <atomic>
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/meta/condition.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "kube/testing/sync_store.h"
#include "order-svc/ticket_form.h"

namespace korder::order {
namespace {

// quota-svc as a test wants it. Creations of tickets call it from one thread at a time.
class FakeLedger final : public Ledger {
 public:
  absl::StatusOr<std::vector<runtime::LedgerDecision>> Reserve(
      const std::string&, const runtime::LedgerClaim& claim,
      const std::vector<runtime::LedgerReservation>& wanted, std::stop_token) override {
    if (!answers) {
      return UnavailableError("connection refused");
    }
    last_claim = claim;
    ++asked;
    std::vector<runtime::LedgerDecision> decisions;
    for (const auto& [id, ticket] : wanted) {
      runtime::LedgerDecision decision{.id = id, .denied = {}};
      if (static_cast<int>(granted.size()) >= limit) {
        decision.denied = runtime::LedgerDenial{.quota = "team",
                                                .resource = "tickets",
                                                .message = "quota team: tickets: no more",
                                                .next_change = next_change};
      } else {
        granted.insert(id);
      }
      decisions.push_back(std::move(decision));
    }
    return decisions;
  }
  absl::Status Release(const std::vector<std::string>& ids, std::stop_token) override {
    for (const std::string& id : ids) {
      granted.erase(id);
    }
    return absl::OkStatus();
  }

  bool answers = true;
  int limit = 1000;
  int asked = 0;  // calls of Reserve
  std::optional<absl::Time> next_change;
  std::set<std::string> granted;
  runtime::LedgerClaim last_claim;
};

// The connection of a process that dies after so many of its writes: nothing arrives any more.
class Cable final : public kube::HttpTransport {
 public:
  Cable(kube::HttpTransport& server, int writes) : server_(server), writes_(writes) {}
  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override {
    if (request.method != "GET" && writes_-- <= 0) {
      return UnavailableError("the process is dead");
    }
    return server_.Do(request, options);
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override {
    return server_.Open(request, options);
  }

 private:
  kube::HttpTransport& server_;
  std::atomic<int> writes_;
};

// One process of order-svc. Its watches catch up when a test says so.
class Service {
 public:
  Service(kube::HttpTransport& server, FakeClock& clock, FakeLedger& ledger)
      : client_(server),
        events_(client_, clock, {.component = "korder-order-svc", .instance = "test"}),
        pace_(clock, [this](const kube::ObjectKey& order) { controller.Enqueue(order); }),
        reconciler({.client = client_,
                    .orders = orders_,
                    .tickets = tickets_,
                    .nodes = nodes_,
                    .ledger = ledger,
                    .pace = pace_,
                    .events = events_,
                    .clock = clock}),
        controller("order", reconciler, clock, {.backoff = {.max = absl::Seconds(3)}}) {
    tickets_.AddIndex(std::string(kOwnerIndex), OwnerIndex);
  }

  void Sync() {
    kube::SyncStore(client_, "", nodes_, [](auto*, auto*) {});
    SyncOrders();
    kube::SyncStore(client_, "", tickets_, [this](auto* was, auto* is) {
      if (is == nullptr) {
        reconciler.Gone(*was);
      }
      pace_.OnTicket(was, is);
      controller.Enqueue({"default", (is ? is : was)->form->owner->name});
    });
  }
  void SyncOrders() {
    kube::SyncStore(client_, "", orders_, [this](auto* was, auto* is) {
      controller.Enqueue(kube::KeyOf(*(is ? is : was)));
    });
  }
  void Work() {
    while (controller.ProcessDue({})) {
    }
  }

 private:
  kube::Client client_;
  kube::Store<api::Order> orders_;
  kube::Store<OrderTicket> tickets_;
  kube::Store<api::Node> nodes_;
  kube::EventRecorder events_;
  Pace pace_;

 public:
  Reconciler reconciler;
  kube::Controller controller;
};

api::Order MakeOrder(int replicas) {
  api::Order order;
  order.metadata.name = "web";
  order.metadata.ns = "default";
  order.spec.replicas = replicas;
  order.spec.ticket_template.spec.duration = absl::Minutes(90);
  order.spec.ticket_template.spec.resources.requests = {{"cpu", api::Quantity::FromInt(2)}};
  return order;
}

struct Bench {
  FakeClock clock;
  kube::FakeApiServer server{clock, {.collect_garbage = true}};
  kube::Client admin{server};
  FakeLedger ledger;
  Service service{server, clock, ledger};

  explicit Bench(int replicas) : Bench(MakeOrder(replicas)) {}
  explicit Bench(const api::Order& order) {
    REQUIRE(admin.Create(order).ok());
    server.ClearLog();
  }

  // Watches and process take turns, and time passes, until nothing was written for longer than
  // anything is retried or delayed.
  void Settle(Service& in) {
    for (int quiet = 0; quiet < 12; ++quiet) {
      const size_t before = Writes();
      in.Sync();
      in.Work();
      quiet = Writes() == before ? quiet : 0;
      clock.Advance(absl::Seconds(1));
    }
  }
  size_t Writes() {
    size_t writes = 0;
    for (const kube::ServedCall& call : server.Log()) {
      writes += call.verb != "get" && call.verb != "list" ? 1U : 0U;
    }
    return writes;
  }
  void Settle() { Settle(service); }

  api::Order Order() { return admin.Get<api::Order>({"default", "web"}).value(); }
  std::vector<api::Ticket> Tickets() { return kube::ListAll<api::Ticket>(admin, "").value().items; }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const api::Ticket& ticket : Tickets()) {
      names.push_back(ticket.metadata.name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void MakeReady() {
    for (api::Ticket& ticket : Tickets()) {
      ticket.status.phase = api::TicketPhase::kReady;
      REQUIRE(admin.Update(ticket, "status").ok());
    }
  }
  std::string ReadyReason() {
    const api::Order order = Order();
    const api::Condition* ready = api::FindCondition(order.status.conditions, "Ready");
    return ready == nullptr ? "" : ready->reason;
  }
  void Scale(int replicas) {
    REQUIRE(admin
                .Patch<api::Order>({"default", "web"}, {},
                                   absl::StrCat(R"({"spec":{"replicas":)", replicas, "}}"))
                .ok());
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("order reconciler: an order becomes tickets that carry their grants", "[order][shell]") {
  Bench bench(3);
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0", "web-1", "web-2"});
  std::set<std::string> carried;
  for (const api::Ticket& ticket : bench.Tickets()) {
    carried.insert(ticket.metadata.annotations.at("korder.dev/grant"));
  }
  CHECK(carried == bench.ledger.granted);
  CHECK(bench.ledger.last_claim.requests.at("cpu") == api::Quantity::FromInt(2));
  CHECK(bench.ledger.last_claim.duration == absl::Minutes(90));
  CHECK(bench.ledger.last_claim.labels.at("korder.dev/order") == "web");
  CHECK(bench.Order().status.slots == "0-2");
  CHECK(bench.server.Count("create", "tickets") == 3);
  CHECK(bench.server.Count("update", "orders/status") <= 2);
}

TEST_CASE("order reconciler: a large order is reserved and created in batches", "[order][shell]") {
  Bench bench(601);
  bench.Settle();
  CHECK(bench.Tickets().size() == 601);
  CHECK(bench.ledger.granted.size() == 601);
  CHECK(bench.Order().status.slots == "0-600");
}

TEST_CASE("order reconciler: a large order is made as fast as its tickets become Ready",
          "[order][shell]") {
  Bench bench(601);
  const auto turn = [&bench] {
    bench.service.Sync();
    bench.service.Work();
  };
  turn();
  turn();
  REQUIRE(bench.Tickets().size() == 256);
  // No time passes: only what becomes of the tickets makes room for more.
  bench.MakeReady();
  turn();
  turn();
  CHECK(bench.Tickets().size() == 512);
}

TEST_CASE("order reconciler: a large order that the quota denies does not ask all the time",
          "[order][shell]") {
  Bench bench(601);
  bench.ledger.limit = 0;
  for (int second = 0; second < 10; ++second) {
    bench.service.Sync();
    bench.service.Work();
    bench.clock.Advance(absl::Seconds(1));
  }
  CHECK(bench.Tickets().empty());
  CHECK(bench.ledger.asked <= 10);
}

TEST_CASE("order reconciler: tickets that nothing becomes of hold up the rest for ten seconds",
          "[order][shell]") {
  Bench bench(601);
  bench.service.Sync();
  bench.service.Work();
  REQUIRE(bench.Tickets().size() == 256);
  bench.clock.Advance(absl::Seconds(10));
  bench.service.Sync();
  bench.service.Work();
  CHECK(bench.Tickets().size() == 512);
}

TEST_CASE("order reconciler: what the quota denies is told, and made when it has room",
          "[order][shell]") {
  Bench bench(3);
  bench.ledger.limit = 2;
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0", "web-1"});
  CHECK(bench.ReadyReason() == "QuotaDenied");
  CHECK(api::FindCondition(bench.Order().status.conditions, "QuotaLimited")->message ==
        "quota team: tickets: no more");
  bench.ledger.limit = 3;
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0", "web-1", "web-2"});
  CHECK(bench.ReadyReason() == "TicketsNotReady");
}

TEST_CASE("order reconciler: nothing is made while quota-svc is away, and the order says so",
          "[order][shell]") {
  Bench bench(2);
  bench.ledger.answers = false;
  bench.service.Sync();
  bench.service.Work();
  CHECK(bench.ReadyReason() == "TicketsNotReady");
  bench.Settle();
  CHECK(bench.Names().empty());
  CHECK(bench.ReadyReason() == "QuotaUnavailable");
  bench.ledger.answers = true;
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0", "web-1"});
  CHECK(bench.ReadyReason() == "TicketsNotReady");
}

TEST_CASE("order reconciler: lost requests and answers neither lose nor double a ticket",
          "[order][shell]") {
  Bench bench(20);
  bench.server.LoseNextResponse("create", "tickets", 5);
  bench.server.LoseNextRequest("create", "tickets", 5);
  bench.server.FailNext("create", "tickets", 500, 2);
  bench.server.LoseNextResponse("update", "orders/status", 2);
  bench.Settle();
  CHECK(bench.Tickets().size() == 20);
  CHECK(bench.Order().status.slots == "0-19");

  bench.Scale(4);
  bench.server.LoseNextResponse("delete", "tickets", 3);
  bench.server.LoseNextRequest("delete", "tickets", 3);
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0", "web-1", "web-2", "web-3"});
  CHECK(bench.Order().status.slots == "0-3");
}

TEST_CASE("order reconciler: a process that dies in the middle of its creations is succeeded",
          "[order][shell]") {
  // More than ten: by name, web-10 comes before web-2.
  for (int made = 0; made <= 20; ++made) {
    CAPTURE(made);
    Bench bench(20);
    Cable cable(bench.server, made);
    Service dying(cable, bench.clock, bench.ledger);
    dying.Sync();
    dying.Work();
    Service successor(bench.server, bench.clock, bench.ledger);
    bench.Settle(successor);
    REQUIRE(bench.Tickets().size() == 20);
    REQUIRE(OrdinalSet::Parse(bench.Order().status.slots)->size() == 20);
  }
}

TEST_CASE("order reconciler: a store that lags behind costs no second deletion", "[order][shell]") {
  Bench bench(5);
  bench.Settle();
  bench.Scale(2);
  bench.server.ClearLog();
  for (int i = 0; i < 5; ++i) {
    bench.service.SyncOrders();  // The watch of tickets is late.
    bench.service.controller.Enqueue({"default", "web"});
    bench.service.Work();
    bench.clock.Advance(absl::Seconds(1));
  }
  CHECK(bench.server.Count("delete", "tickets") == 3);
  CHECK(bench.Names() == Names{"web-0", "web-1"});
}

TEST_CASE(
    "order reconciler: a name that belongs to somebody else is passed over, its grant returned",
    "[order][shell]") {
  Bench bench(2);
  api::Ticket squatter;
  squatter.metadata.name = "web-0";
  squatter.metadata.ns = "default";
  REQUIRE(bench.admin.Create(squatter).ok());
  // It belongs to no order: the watch has nobody to wake.
  bench.service.SyncOrders();
  bench.service.Work();
  CHECK(bench.Names() == Names{"web-0", "web-1"});
  bench.clock.Advance(absl::Seconds(3));
  bench.service.SyncOrders();
  bench.service.Work();
  CHECK(bench.Names() == Names{"web-0", "web-1", "web-2"});
  CHECK(bench.ledger.granted.size() == 2);
  CHECK(bench.Order().status.slots == "1-2");
  CHECK(bench.Order().status.collision_count == 1);
}

TEST_CASE("order reconciler: an order made anew under an old name starts afresh",
          "[order][shell]") {
  Bench bench(2);
  bench.Settle();
  REQUIRE(bench.admin.Delete<api::Order>({"default", "web"}).ok());
  bench.Settle();
  CHECK(bench.Tickets().empty());
  REQUIRE(bench.admin.Create(MakeOrder(1)).ok());
  bench.Settle();
  CHECK(bench.Names() == Names{"web-0"});
  CHECK(bench.Order().status.slots == "0");
}

TEST_CASE("order reconciler: many ticket changes cost few status writes", "[order][shell]") {
  Bench bench(100);
  bench.Settle();
  bench.server.ClearLog();
  for (const api::Ticket& ticket : bench.Tickets()) {
    REQUIRE(bench.admin
                .Patch<api::Ticket>(kube::KeyOf(ticket), {.subresource = "status"},
                                    R"({"status":{"phase":"Ready"}})")
                .ok());
    bench.service.Sync();
    bench.service.Work();
    bench.clock.Advance(absl::Milliseconds(10));
  }
  bench.Settle();
  CHECK(bench.Order().status.ready_replicas == 100);
  // A second of changes: one write each half second, and what the end needs.
  CHECK(bench.server.Count("update", "orders/status") <= 5);
}

TEST_CASE("order reconciler: an order that is Ready at once costs one status write",
          "[order][shell]") {
  Bench bench(2);
  bench.service.Sync();
  bench.service.Work();
  REQUIRE(bench.Tickets().size() == 2);
  bench.clock.Advance(absl::Milliseconds(400));
  bench.MakeReady();
  bench.service.Sync();
  bench.service.Work();
  CHECK(bench.ReadyReason() == "AllTicketsReady");
  bench.Settle();
  CHECK(bench.server.Count("update", "orders/status") == 1);
}

TEST_CASE("order reconciler: an order that is on its way says so after half a second",
          "[order][shell]") {
  Bench bench(2);
  const auto after = [&bench](absl::Duration time) {
    bench.clock.Advance(time);
    bench.service.Sync();
    bench.service.Work();
    return bench.ReadyReason();
  };
  CHECK(after(absl::ZeroDuration()).empty());
  CHECK(after(absl::Milliseconds(490)).empty());
  CHECK(after(absl::Milliseconds(10)) == "TicketsNotReady");
  bench.MakeReady();
  CHECK(after(absl::ZeroDuration()) == "AllTicketsReady");
}

TEST_CASE("order reconciler: what hinders a new order is said at once", "[order][shell]") {
  Bench bench(2);
  SECTION("a quota") { bench.ledger.limit = 1; }
  SECTION("a pause") {
    REQUIRE(
        bench.admin.Patch<api::Order>({"default", "web"}, {}, R"({"spec":{"paused":true}})").ok());
  }
  bench.service.Sync();
  bench.service.Work();
  CHECK((bench.ReadyReason() == "QuotaDenied" || bench.ReadyReason() == "Paused"));
}

TEST_CASE("order reconciler: a ticket that came and went between two looks is replaced",
          "[order][shell]") {
  api::Order order = MakeOrder(1);
  order.spec.strategy.refresh_policy = api::RefreshPolicy::kAlways;
  Bench bench(order);
  bench.service.SyncOrders();
  bench.service.Work();
  REQUIRE(bench.Names() == Names{"web-0"});
  bench.service.Sync();  // seen, and nobody looks
  REQUIRE(bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());
  bench.Settle();
  CHECK(bench.Names() == Names{"web-1"});
}

TEST_CASE("order reconciler: a ticket that was deleted while no watch told is replaced",
          "[order][shell]") {
  api::Order order = MakeOrder(1);
  order.spec.strategy.refresh_policy = api::RefreshPolicy::kAlways;
  Bench bench(order);
  bench.service.SyncOrders();
  bench.service.Work();
  REQUIRE(bench.Names() == Names{"web-0"});
  // The next list has it no more, so nobody hears of it.
  REQUIRE(bench.admin.Delete<api::Ticket>({"default", "web-0"}).ok());
  bench.Settle();
  CHECK(bench.Names() == Names{"web-1"});
}

TEST_CASE("order reconciler: a ticket that a slow watch does not show is not made twice",
          "[order][shell]") {
  Bench bench(MakeOrder(1));
  bench.service.SyncOrders();
  for (int i = 0; i < 10; ++i) {
    bench.service.Work();
    bench.clock.Advance(absl::Seconds(2));
  }
  CHECK(bench.Names() == Names{"web-0"});
  // It is asked for every five seconds, and not at every look.
  const int asked = bench.server.Count("get", "tickets");
  CHECK(asked >= 2);
  CHECK(asked <= 4);
}

// A window of a minute that opens every ten, as the fake clock stands.
api::Order MakeScheduled(int replicas) {
  api::Order order = MakeOrder(replicas);
  order.spec.strategy.type = api::StrategyType::kScheduled;
  order.spec.strategy.schedule = "*/10 * * * *";
  order.spec.ticket_template.spec.duration = absl::Minutes(5);
  return order;
}

void WaitUntil(Bench& bench, absl::Time time) { bench.clock.Advance(time - bench.clock.Now()); }

absl::Time NextTick(const Bench& bench) {
  const absl::Duration ten = absl::Minutes(10);
  return absl::UnixEpoch() + (absl::Floor(bench.clock.Now() - absl::UnixEpoch(), ten) + ten);
}

TEST_CASE("order reconciler: an occurrence's tickets carry its start, and are reserved as such",
          "[order][shell]") {
  Bench bench(MakeScheduled(2));
  const absl::Time tick = NextTick(bench);
  WaitUntil(bench, tick);
  bench.Settle();
  REQUIRE(bench.Names() == Names{"web-0", "web-1"});
  const api::Ticket ticket = bench.Tickets()[0];
  CHECK(ticket.spec.start_time == tick);
  CHECK(ticket.metadata.labels.at("korder.dev/occurrence") == OccurrenceName(tick));
  CHECK(bench.ledger.last_claim.labels.at("korder.dev/occurrence") == OccurrenceName(tick));
  CHECK(bench.ledger.last_claim.duration == absl::Minutes(5));
  const api::OrderStatus status = bench.Order().status;
  REQUIRE(status.occurrences.size() == 1);
  CHECK(status.occurrences[0].start == tick);
  CHECK(status.occurrences[0].slots == "0-1");
  CHECK(status.slots.empty());
  CHECK(status.current_window->end == tick + absl::Minutes(5));

  WaitUntil(bench, tick + absl::Minutes(5));
  bench.Settle();
  CHECK(bench.Order().status.occurrences.empty());
  CHECK(bench.ReadyReason() == "OutsideWindow");
}

TEST_CASE(
    "order reconciler: stopped for three occurrences and started again, it joins the one that runs",
    "[order][shell]") {
  Bench bench(MakeScheduled(2));
  const absl::Time tick = NextTick(bench);
  WaitUntil(bench, tick);
  bench.Settle();
  for (const api::Ticket& ticket : bench.Tickets()) {
    REQUIRE(bench.admin.Delete<api::Ticket>(kube::KeyOf(ticket)).ok());
  }
  WaitUntil(bench, tick + absl::Minutes(41));
  Service successor(bench.server, bench.clock, bench.ledger);
  bench.Settle(successor);
  CHECK(bench.Names() == Names{"web-2", "web-3"});
  CHECK(bench.Tickets()[0].spec.start_time == tick + absl::Minutes(40));
}

TEST_CASE("order reconciler: a process that dies as a window opens is succeeded without a double",
          "[order][shell]") {
  for (int made = 0; made <= 7; ++made) {
    CAPTURE(made);
    Bench bench(MakeScheduled(6));
    WaitUntil(bench, NextTick(bench));
    Cable cable(bench.server, made);
    Service dying(cable, bench.clock, bench.ledger);
    dying.Sync();
    dying.Work();
    Service successor(bench.server, bench.clock, bench.ledger);
    bench.Settle(successor);
    REQUIRE(bench.Tickets().size() == 6);
    REQUIRE(bench.Order().status.occurrences.size() == 1);
    REQUIRE(OrdinalSet::Parse(bench.Order().status.occurrences[0].slots)->size() == 6);
  }
}

TEST_CASE("order reconciler: a process that dies in the middle of a rollout is succeeded",
          "[order][shell]") {
  for (int made = 0; made <= 8; ++made) {
    CAPTURE(made);
    Bench bench(3);
    bench.Settle();
    const auto ready = [&bench] {
      for (const api::Ticket& ticket : bench.Tickets()) {
        if (ticket.status.phase == api::TicketPhase::kPending) {
          REQUIRE(bench.admin
                      .Patch<api::Ticket>(kube::KeyOf(ticket), {.subresource = "status"},
                                          R"({"status":{"phase":"Ready"}})")
                      .ok());
        }
      }
    };
    ready();
    REQUIRE(bench.admin
                .Patch<api::Order>({"default", "web"}, {},
                                   R"({"spec":{"template":{"metadata":{"labels":{"v":"two"}}}}})")
                .ok());
    Cable cable(bench.server, made);
    Service dying(cable, bench.clock, bench.ledger);
    for (int i = 0; i < 6; ++i) {
      dying.Sync();
      dying.Work();
      ready();
      REQUIRE(bench.Tickets().size() >= 3);  // never fewer than were asked for
      bench.clock.Advance(absl::Seconds(1));
    }
    Service successor(bench.server, bench.clock, bench.ledger);
    for (int i = 0; i < 6; ++i) {
      bench.Settle(successor);
      ready();
    }
    REQUIRE(bench.Tickets().size() == 3);
    for (const api::Ticket& ticket : bench.Tickets()) {
      REQUIRE(ticket.metadata.labels.at("v") == "two");
    }
  }
}

TEST_CASE("order reconciler: a renewal lengthens the ticket, as it was seen and no other",
          "[order][shell]") {
  api::Order order = MakeOrder(1);
  order.spec.strategy.type = api::StrategyType::kRecurring;
  order.spec.strategy.schedule = "*/10 * * * *";
  order.spec.ticket_template.spec.duration = absl::Minutes(15);
  Bench bench(order);
  WaitUntil(bench, NextTick(bench) + absl::Minutes(8));
  bench.Settle();
  const absl::Time begin = absl::FromUnixSeconds(absl::ToUnixSeconds(bench.clock.Now()));
  REQUIRE(bench.admin
              .Patch<api::Ticket>(
                  {"default", "web-0"}, {.subresource = "status"},
                  absl::StrCat(R"({"status":{"phase":"Ready","activationTime":")",
                               absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", begin, absl::UTCTimeZone()),
                               R"("}})"))
              .ok());
  WaitUntil(bench, NextTick(bench));
  bench.Settle();
  CHECK(bench.server.Count("patch", "tickets") == 0);  // it lasts beyond the next tick
  const absl::Time tick = NextTick(bench);
  WaitUntil(bench, tick);
  bench.service.Sync();
  bench.service.controller.Enqueue({"default", "web"});
  bench.service.Work();
  bench.service.controller.Enqueue({"default", "web"});  // the watch of tickets is late
  bench.service.Work();
  CHECK(bench.server.Count("patch", "tickets") == 1);
  bench.Settle();
  CHECK(bench.server.Count("patch", "tickets") == 1);
  const api::Ticket renewed = bench.Tickets()[0];
  CHECK(begin + renewed.spec.duration->value() == tick + absl::Minutes(15));
  CHECK(renewed.metadata.annotations.contains("korder.dev/renewed"));
}

TEST_CASE("order reconciler: nodes that join at once get a ticket each, in few status writes",
          "[order][shell]") {
  api::Order order = MakeOrder(1);
  order.spec.daemon_set = true;
  Bench bench(order);
  for (int i = 0; i < 150; ++i) {
    api::Node node;
    node.metadata.name = absl::StrCat("node-", i);
    REQUIRE(bench.admin.Create(node).ok());
  }
  bench.Settle();
  std::set<std::string> nodes;
  for (const api::Ticket& ticket : bench.Tickets()) {
    CHECK(ticket.metadata.labels.at("korder.dev/node") == ticket.spec.node_name);
    nodes.insert(ticket.spec.node_name);
  }
  CHECK(bench.Tickets().size() == 150);
  CHECK(nodes.size() == 150);
  CHECK(bench.Order().status.desired_replicas == 150);
  CHECK(bench.server.Count("update", "orders/status") <= 3);  // one for each 50
}

TEST_CASE("order reconciler: a ticket that only looks like the order's own is left alone",
          "[order][shell]") {
  Bench bench(1);
  api::Order owner = MakeOrder(0);
  owner.metadata.name = "api";
  owner.spec.paused = true;  // so that it leaves the ticket alone itself
  const auto made = bench.admin.Create(owner);
  REQUIRE(made.ok());
  api::Ticket other;
  other.metadata.name = "web-7";
  other.metadata.ns = "default";
  other.metadata.labels = {{"korder.dev/order", "web"}};
  other.metadata.owner_references = {{.api_version = "core.korder.dev/v1alpha1",
                                      .kind = "Order",
                                      .name = "api",
                                      .uid = made->metadata.uid,
                                      .controller = true}};
  REQUIRE(bench.admin.Create(other).ok());
  bench.service.Sync();
  bench.service.Work();
  bench.Scale(0);
  for (int i = 0; i < 5; ++i) {
    bench.service.Sync();
    bench.service.Work();
    bench.clock.Advance(absl::Seconds(1));
  }
  CHECK(bench.Names() == Names{"web-7"});
  CHECK(bench.Order().status.replicas == 0);
}

}  // namespace korder::order
