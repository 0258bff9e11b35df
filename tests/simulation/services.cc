#include "services.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "api/v1alpha1/names.h"
#include "base/clock_watch.h"
#include "base/pause.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "kube/informer.h"
#include "kube/leader_elector.h"
#include "kube/leader_transport.h"
#include "order-svc/order_ticket.h"
#include "order-svc/reconciler.h"
#include "order-svc/wake_ups.h"
#include "prometheus/registry.h"
#include "quota-svc/leadership.h"
#include "quota-svc/observed.h"
#include "runtime/ledger_client.h"
#include "runtime/manager.h"
#include "runtime/testing/call_context.h"
#include "ticket-svc/disturbance.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/joined_charges.h"
#include "ticket-svc/leader_work.h"
#include "ticket-svc/wake_ups.h"

namespace korder::simulation {
namespace {

const ticket::GuardianOptions kGuardian{.image = "pause", .priority_class = kGuardianClass};
constexpr absl::Duration kClaimTimeout = absl::Seconds(5);
constexpr absl::Duration kNodeGrace = absl::Seconds(3);
// Few, so that orders have to wait for each other.
constexpr size_t kTicketsUnderWay = 3;
const BackoffPolicy kBackoff{.max = absl::Seconds(3)};

// Events are for people; none is written here.
kube::EventRecorderOptions NoEvents() { return {.component = "", .instance = "", .total = {}}; }

kube::LeaderElectionOptions LeaseOf(const std::string& service, const Process& process) {
  return {.ns = kSystemNamespace,
          .name = "korder-" + service,
          .identity = process.name,
          .place = process.place};
}

class Ledger final : public order::Ledger {
 public:
  Ledger(Peers& peers, Process& process) : route_(peers, process), client_(route_) {}
  absl::StatusOr<std::vector<runtime::LedgerDecision>> Reserve(
      const std::string& ns, const runtime::LedgerClaim& claim,
      const std::vector<runtime::LedgerReservation>& wanted, std::stop_token stop) override {
    return client_.Reserve(ns, claim, wanted, std::move(stop));
  }
  absl::Status Release(const std::vector<std::string>& ids, std::stop_token stop) override {
    return client_.Release(ids, std::move(stop));
  }

 private:
  LedgerRoute route_;
  runtime::LedgerClient client_;
};

class Charges final : public ticket::Charges {
 public:
  Charges(Peers& peers, Process& process) : route_(peers, process), client_(route_) {}
  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerConfirmation& asked,
                                                  std::stop_token stop,
                                                  absl::Duration at_most) override {
    return joined_.Confirm(asked, std::move(stop), at_most);
  }

 private:
  LedgerRoute route_;
  runtime::LedgerClient client_;
  ticket::JoinedCharges joined_{
      [this](const auto& asked, std::stop_token stop, absl::Duration at_most) {
        // The client asks for its stub before anybody else can run.
        route_.timeout = std::min(absl::Seconds(3), at_most);
        return client_.Confirm(asked, std::move(stop), at_most);
      }};
};

class QuotaDesk final : public admission::QuotaDesk {
 public:
  QuotaDesk(Peers& peers, Process& process) : route_(peers, process), client_(route_) {}
  absl::StatusOr<runtime::AdmitAnswer> AdmitOrder(const runtime::LedgerOrder& order,
                                                  const runtime::LedgerClaim& claim,
                                                  bool dry_run) override {
    route_.timeout = absl::Seconds(1);
    return client_.AdmitOrder(order, claim, dry_run);
  }
  absl::StatusOr<runtime::AdmitAnswer> AdmitTicket(const runtime::LedgerTicket& ticket,
                                                   const runtime::LedgerClaim& claim,
                                                   bool dry_run) override {
    route_.timeout = absl::Seconds(1);
    return client_.AdmitTicket(ticket, claim, dry_run);
  }

 private:
  LedgerRoute route_;
  runtime::LedgerClient client_;
};

class TicketDesk final : public admission::TicketDesk {
 public:
  TicketDesk(Peers& peers, Process& process) : peers_(peers), process_(process) {}
  absl::StatusOr<admission::Offer> Ask(const std::string& ns,
                                       const std::string& pod_json) override {
    DeskServer* const server = peers_.PickAlive(peers_.desks);
    if (server == nullptr || process_.dead) {
      return UnavailableError("no connection");
    }
    using Fate = Network::Fate;
    Network& network = peers_.network();
    const Fate fate = network.directed()
                          ? network.NextFate(true,
                                             [&] {
                                               return Network::Message{process_, "Offer", ns};
                                             })
                          : Fate::kArrives;
    if (Network::DiesBefore(fate) || fate == Fate::kIsLost) {
      if (Network::DiesBefore(fate)) {
        network.Kill(process_);  // Whether a question without effect still arrives does not matter.
      }
      return UnavailableError("no connection");
    }
    ticket::v1::OfferRequest request;
    request.set_namespace_(ns);
    request.set_pod_json(pod_json);
    ticket::v1::OfferResponse response;
    runtime::CallContext call(ns);
    if (fate == Fate::kArrivesTwice) {
      server->desk.Offer(call.get(), &request, &response).ok();
    }
    const bool answered = server->desk.Offer(call.get(), &request, &response).ok();
    if (fate == Fate::kCrashAfter) {
      network.Kill(process_);
    }
    if (!answered || process_.dead || fate == Fate::kAnswerIsLost) {
      return UnavailableError("no answer");
    }
    return admission::Offer{.fits = response.has_ticket(), .message = "no"};
  }

 private:
  Peers& peers_;
  Process& process_;
};

// As ticket-svc's main does.
void WatchScheduler(kube::Client& client, ticket::Disturbance& disturbance,
                    ticket::WakeUps& wake_ups, const std::stop_token& stop) {
  std::string holder;
  while (!stop.stop_requested()) {
    const absl::StatusOr<api::Lease> lease =
        client.Get<api::Lease>({"kube-system", "kube-scheduler"}, {.stop = stop});
    if (lease.ok()) {
      if (!holder.empty() && holder != lease->spec.holder_identity) {
        disturbance.Note();
        wake_ups.AllHandoffs();
      }
      holder = lease->spec.holder_identity;
    }
    Pause(absl::Seconds(2), stop);
  }
}

}  // namespace

void RunOrderService(Surroundings& around, Process& process) {
  const auto transport = around.network.Connect(process);
  kube::Client client(*transport);
  kube::LeaderElector elector(client, around.clock, LeaseOf("order-svc", process));
  kube::LeaderTransport writing(*transport, [&elector] { return elector.leading(); });
  kube::Client leader_client(writing);
  runtime::Manager manager(around.clock);
  Ledger ledger(around.peers, process);
  kube::Informer<api::Order> orders(client);
  orders.store().AddIndex(std::string(order::kDaemonIndex), order::DaemonIndex);
  kube::Informer<api::Node> nodes(client);
  kube::Informer<order::OrderTicket> tickets(client);
  tickets.store().AddIndex(std::string(order::kOwnerIndex), order::OwnerIndex);
  kube::EventRecorder events(client, around.clock, NoEvents());
  std::optional<order::WakeUps> wake_ups;
  order::Pace pace(around.clock,
                   [&wake_ups](const kube::ObjectKey& order) { wake_ups->MayGoOn(order); },
                   {.tickets = kTicketsUnderWay});
  order::Reconciler reconciler({.client = leader_client,
                                .orders = orders.store(),
                                .tickets = tickets.store(),
                                .nodes = nodes.store(),
                                .ledger = ledger,
                                .pace = pace,
                                .events = events,
                                .clock = around.clock});
  kube::Controller controller("order", reconciler, around.clock,
                              {.workers = 2, .backoff = kBackoff});
  wake_ups.emplace(orders.store(), reconciler, pace, controller);
  orders.OnChange([&](auto* was, auto* is) { wake_ups->OnOrder(was, is); });
  tickets.OnChange([&](auto* was, auto* is) { wake_ups->OnTicket(was, is); });
  nodes.OnChange([&](auto* was, auto* is) { wake_ups->OnNode(was, is); });
  manager.AddInformer(nodes);
  manager.AddInformer(orders);
  manager.AddInformer(tickets);
  manager.AddBackground("clock", [&](std::stop_token s) {
    WatchClock(
        around.clock, [&] { wake_ups->Everything(); }, s);
  });
  manager.AddWhileLeading("order", [&](std::stop_token s, int64_t) {
    if (!tickets.Refresh(s) || !orders.Refresh(s)) {
      return;
    }
    reconciler.ForgetAll();
    wake_ups->Everything();
    controller.Run(s);
  });
  manager.Run(process.stop.get_token(), &elector).IgnoreError();
}

void RunTicketService(Surroundings& around, Process& process) {
  using namespace ticket;  // NOLINT(google-build-using-namespace): as in its main.cc
  const Clock& clock = around.clock;
  const auto transport = around.network.Connect(process);
  Disturbance disturbance(kube::NoObserver(), clock);
  kube::Client client(*transport, disturbance);
  kube::LeaderElector elector(client, clock, LeaseOf("ticket-svc", process));
  kube::LeaderTransport writing(*transport, [&elector] { return elector.leading(); });
  kube::Client leader_client(writing, disturbance);
  runtime::Manager manager(clock);
  kube::Informer<GuardedTicket> ticket_informer(client);
  kube::Informer<OwnPod> guardian_informer(
      client, {.label_selector = "korder.dev/role in (guardian,fence)"});
  kube::Informer<api::Pod> claim_pod_informer(client,
                                              {.label_selector = std::string(api::kLabelClaim)});
  kube::Informer<api::Node> node_informer(client);
  ticket::World world({ticket_informer.store(), guardian_informer.store(),
                       claim_pod_informer.store(), node_informer.store()},
                      clock);
  const ClaimRules rules{.timeout = kClaimTimeout, .method = around.handoff.method};
  ticket::TicketDesk desk(world, clock, rules);
  simulation::Charges charges(around.peers, process);
  kube::EventRecorder events(client, clock, NoEvents());
  prometheus::Registry registry;
  Metrics metrics(registry);
  LeaderWork work({leader_client, world, charges, disturbance, events, metrics, clock},
                  {.fence_namespace = kSystemNamespace,
                   .guardian = kGuardian,
                   .node_grace = kNodeGrace,
                   .claims = rules,
                   .handoffs = around.handoff,
                   .ticket_workers = 3,
                   .handoff_workers = 2});
  WakeUps& wake_ups = work.wake_ups();
  ticket_informer.OnChange([&](auto* was, auto* is) { wake_ups.OnTicket(was, is); });
  guardian_informer.OnChange([&](auto* was, auto* is) { wake_ups.OnGuardian(was, is); });
  claim_pod_informer.OnChange([&](auto* was, auto* is) { wake_ups.OnClaimPod(was, is); });
  node_informer.OnChange([&](auto* was, auto* is) { wake_ups.OnNode(was, is); });
  manager.AddInformer(ticket_informer);
  manager.AddInformer(guardian_informer);
  manager.AddInformer(claim_pod_informer);
  manager.AddInformer(node_informer);
  manager.AddBackground("clock", [&](std::stop_token s) {
    WatchClock(
        clock, [&] { wake_ups.Everything(); }, s);
  });
  manager.AddBackground(
      "scheduler", [&](std::stop_token s) { WatchScheduler(client, disturbance, wake_ups, s); });
  manager.AddWhileLeading("controllers", [&](std::stop_token s, int64_t) { work.Run(s); });
  DeskServer server{process, desk};
  around.peers.desks.push_back(&server);
  manager.Run(process.stop.get_token(), &elector).IgnoreError();
  std::erase(around.peers.desks, &server);
}

void RunQuotaService(Surroundings& around, Process& process) {
  const auto transport = around.network.Connect(process);
  kube::Client client(*transport);
  runtime::Manager manager(around.clock);
  prometheus::Registry registry;
  quota::Metrics metrics(registry);
  quota::LedgerDesk desk(around.clock, metrics, quota::FindNamespaceBy(client),
                         {.grant_ttl = kGrantTtl, .order_ttl = kGrantTtl});
  quota::LedgerService service(desk);
  LedgerServer server{process, service};
  kube::EventRecorder events(client, around.clock, NoEvents());
  quota::Leadership leadership({.client = client,
                                .clock = around.clock,
                                .desk = desk,
                                .events = events,
                                .metrics = metrics,
                                .observer = kube::NoObserver(),
                                .set_serving = [&server](bool now) { server.serving = now; }},
                               {.log = {.ns = kSystemNamespace,
                                        .name = "korder-quota-ledger",
                                        .writer = process.name,
                                        .closed_for = kGrantTtl}});
  manager.AddWhileLeading(
      "ledger", [&](std::stop_token s, int64_t epoch) { leadership.Run(std::move(s), epoch); });
  around.peers.ledgers.push_back(&server);
  kube::LeaderElectionOptions lease = LeaseOf("quota-svc", process);
  lease.settle_time = absl::ZeroDuration();
  kube::LeaderElector elector(client, around.clock, lease);
  manager.Run(process.stop.get_token(), &elector).IgnoreError();
  around.peers.Leave(server);
}

void RunAdmissionService(Surroundings& around, Process& process) {
  const auto transport = around.network.Connect(process);
  kube::Client client(*transport);
  runtime::Manager manager(around.clock);
  simulation::QuotaDesk quota_desk(around.peers, process);
  simulation::TicketDesk ticket_desk(around.peers, process);
  kube::Informer<api::Quota> quotas(client);
  kube::Informer<api::ClaimPolicy> policies(client);
  policies.store().AddIndex(admission::kByNamespace, admission::NamespaceOf<api::ClaimPolicy>);
  const admission::PodWebhook pods(ticket_desk, policies.store(),
                                   [&] { return policies.synced(); });
  const admission::NodeSizes sizes;
  const admission::Validator validator(quota_desk, quotas.store(), sizes, around.clock);
  manager.AddInformer(quotas);
  manager.AddInformer(policies);
  WebhookServer server{process, pods, validator};
  manager.AddBackground("webhooks", [&](std::stop_token) {
    around.peers.webhooks.push_back(&server);  // The watches are synced by now.
  });
  manager.Run(process.stop.get_token(), nullptr).IgnoreError();
  around.peers.Leave(server);
}

}  // namespace korder::simulation
