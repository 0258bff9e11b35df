// order-svc: keeps each Order's Tickets as its spec asks.
// Reads Orders, Tickets and Nodes. Writes Tickets and the status of Orders, nothing else; asks
// quota-svc before every creation, and the API server who the people are that ask for previews.
#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/informer.h"
#include "kube/leader_transport.h"
#include "order-svc/config.h"
#include "order-svc/metrics.h"
#include "order-svc/planner_service.h"
#include "order-svc/quota_ledger.h"
#include "order-svc/reconciler.h"
#include "order-svc/wake_ups.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/tls.h"
#include "runtime/user_access.h"

namespace korder::order {
namespace {

absl::Status Run(const Config& config, std::stop_token stop) {
  const runtime::CommonConfig& common = config.common;
  ASSIGN_OR_RETURN(const kube::ClusterConfig cluster, kube::LoadClusterConfig(common.kubeconfig));
  const auto transport = kube::NewBeastTransport(cluster, {.user_agent = common.FullName()});
  runtime::Metrics metrics(common.service);
  kube::Client client(*transport, metrics.kube_observer());
  SystemClock clock;
  kube::LeaderElector elector(client, clock,
                              {.ns = common.ns,
                               .name = common.FullName(),
                               .identity = common.identity,
                               .place = common.pod_uid});
  kube::LeaderTransport writing(*transport,
                                [&] { return !common.leader_elect || elector.leading(); });
  kube::Client leader_client(writing, metrics.kube_observer());
  runtime::Manager manager(clock);
  runtime::HealthServer health(common.http_listen, manager, metrics);
  RETURN_IF_ERROR(health.Start());

  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  QuotaLedger ledger(config.quota_address, tls);
  kube::Informer<api::Order> orders(client);
  orders.store().AddIndex(std::string(kDaemonIndex), DaemonIndex);
  kube::Informer<api::Node> nodes(client);
  PlannerService planner(
      orders.store(), [&nodes] { return nodes.store().List(); },
      [&ledger](const auto& question, std::stop_token s) { return ledger.Check(question, s); },
      clock);
  runtime::UserAccess users(client, clock, PlannerUserAccess());
  runtime::GrpcServer grpc({.listen = common.grpc_listen,
                            .tls = tls,
                            .allow = PlannerAllowList(),
                            .user_methods = PlannerUserMethods(),
                            .users = &users},
                           metrics);
  grpc.AddService(&planner);
  grpc.SetServing(PlannerService::kService, false);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  manager.AddBackground("users", [&](std::stop_token s) { users.Run(s); });
  manager.AddBackground("planner", [&](std::stop_token) {
    grpc.SetServing(PlannerService::kService, true);  // The watches are synced by now.
  });

  kube::Informer<OrderTicket> tickets(client);
  tickets.store().AddIndex(std::string(kOwnerIndex), OwnerIndex);
  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  Metrics order_metrics(metrics.registry());
  // Wakes the controller, which is made below.
  std::optional<WakeUps> wake_ups;
  Pace pace(clock, [&wake_ups](const kube::ObjectKey& order) { wake_ups->MayGoOn(order); });
  Reconciler reconciler({.client = leader_client,
                         .orders = orders.store(),
                         .tickets = tickets.store(),
                         .nodes = nodes.store(),
                         .ledger = ledger,
                         .pace = pace,
                         .events = events,
                         .clock = clock,
                         .on_window_start = [&order_metrics](absl::Duration delay) {
                           order_metrics.WindowStarted(delay);
                         }});
  kube::Controller controller("order", reconciler, clock,
                              {.workers = config.workers, .backoff = {.max = absl::Seconds(3)}},
                              metrics.kube_observer());
  wake_ups.emplace(orders.store(), reconciler, pace, controller);
  orders.OnChange([&](const api::Order* was, const api::Order* is) {
    order_metrics.OnOrder(was, is);
    wake_ups->OnOrder(was, is);
  });
  tickets.OnChange([&](auto* was, auto* is) { wake_ups->OnTicket(was, is); });
  nodes.OnChange([&](auto* was, auto* is) { wake_ups->OnNode(was, is); });

  manager.AddInformer(nodes);
  manager.AddInformer(orders);
  manager.AddInformer(tickets);
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  manager.AddBackground("clock", [&](std::stop_token s) {
    WatchClock(
        clock, [&] { wake_ups->Everything(); }, s);
  });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) {
                               grpc.SetTls(material);
                               ledger.SetTls(material);
                             });
  });
  manager.AddBackground(
      "ledger", [&](std::stop_token s) { ledger.Follow(s, [&] { controller.RetryFailed(); }); });
  manager.AddWhileLeading("order", [&](std::stop_token s, int64_t) {
    // What the leader before us wrote last may not have come by watch yet.
    if (!tickets.Refresh(s) || !orders.Refresh(s)) {
      return;
    }
    reconciler.ForgetAll();
    wake_ups->Everything();
    controller.Run(s);
  });
  return manager.Run(stop, common.leader_elect ? &elector : nullptr);
}

}  // namespace
}  // namespace korder::order

int main(int argc, char** argv) {
  korder::order::Config config;
  return korder::runtime::Main(
      argc, argv, "order-svc", config.common,
      [&config](CLI::App& app) {
        app.add_option("--quota-address", config.quota_address, "gRPC target of quota-svc")
            ->capture_default_str();
        app.add_option("--workers", config.workers, "orders worked on at the same time")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
      },
      [&config](std::stop_token stop) { return korder::order::Run(config, std::move(stop)); });
}
