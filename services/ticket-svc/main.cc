// ticket-svc: backs each Ticket with a guardian pod and hands its room to the pod that claims it.
// Reads Tickets, guardian pods, pods that ask for a ticket, and Nodes. Writes guardian pods, the
// status of Tickets, and gate, labels, annotations and nomination of the pods that ask; deletes
// finished Tickets; asks quota-svc before every guardian.
#include <thread>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/value/duration.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/informer.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "ticket-svc/claim_reconciler.h"
#include "ticket-svc/clock_watch.h"
#include "ticket-svc/config.h"
#include "ticket-svc/handoff_profile.h"
#include "ticket-svc/quota_charges.h"
#include "ticket-svc/reconciler.h"
#include "ticket-svc/ticket_desk.h"
#include "ticket-svc/wake_ups.h"

namespace korder::ticket {
namespace {

// The four watches of ticket-svc.
struct Informers {
  explicit Informers(kube::Client& client)
      : tickets(client),
        guardians(client, {.label_selector = absl::StrCat(std::string(api::kLabelRole), "=",
                                                          std::string(api::kRoleGuardian))}),
        claim_pods(client, {.label_selector = std::string(api::kLabelClaim)}),
        nodes(client) {}

  World::Stores Stores() {
    return {tickets.store(), guardians.store(), claim_pods.store(), nodes.store()};
  }
  void Tell(WakeUps& wake) {
    tickets.OnChange([&wake](auto* was, auto* is) { wake.OnTicket(was, is); });
    guardians.OnChange([&wake](auto* was, auto* is) { wake.OnGuardian(was, is); });
    claim_pods.OnChange([&wake](auto* was, auto* is) { wake.OnClaimPod(was, is); });
    nodes.OnChange([&wake](auto* was, auto* is) { wake.OnNode(was, is); });
  }
  void AddTo(runtime::Manager& manager) {
    manager.AddInformer(tickets);
    manager.AddInformer(guardians);
    manager.AddInformer(claim_pods);
    manager.AddInformer(nodes);
  }

  kube::Informer<api::Ticket> tickets;
  kube::Informer<api::Pod> guardians;
  kube::Informer<api::Pod> claim_pods;
  kube::Informer<api::Node> nodes;
};

absl::StatusOr<HandoffOptions> AskServer(kube::Client& client) {
  ASSIGN_OR_RETURN(
      std::string version,
      client.Raw({.method = "GET", .target = "/version", .content_type = "", .body = ""}));
  ASSIGN_OR_RETURN(const int minor, ParseServerMinor(std::move(version)));
  const HandoffOptions options = ProfileFor(minor);
  if (options.settle > absl::ZeroDuration()) {
    log::Warn("before 1.35 the scheduler may let another pod into a room that passes on",
              {{"server_minor", minor}});
  }
  return options;
}

// Until stop.
void WatchClock(const Clock& clock, WakeUps& wake_ups, std::stop_token stop) {
  ClockWatch watch(clock.Now(), clock.Mono());
  while (!stop.stop_requested()) {
    Pause(kClockWatchPeriod, stop);
    if (watch.Stepped(clock.Now(), clock.Mono())) {
      log::Info("the clock was set; looking at every ticket again");
      wake_ups.Everything();
    }
  }
}

absl::Status Run(const Config& config, std::stop_token stop) {
  const runtime::CommonConfig& common = config.common;
  ASSIGN_OR_RETURN(const absl::Duration claim_timeout, api::ParseDuration(config.claim_timeout));
  ASSIGN_OR_RETURN(const kube::ClusterConfig cluster, kube::LoadClusterConfig(common.kubeconfig));
  const auto transport = kube::NewBeastTransport(cluster, {.user_agent = common.FullName()});
  runtime::Metrics metrics(common.service);
  kube::Client client(*transport, metrics.kube_observer());
  SystemClock clock;
  runtime::Manager manager(clock);
  runtime::HttpServer http({.listen = common.http_listen},
                           runtime::HealthAndMetrics(manager, metrics));
  RETURN_IF_ERROR(http.Start());
  manager.AddServer("http", [&](std::stop_token s) { return http.Run(s); });

  Informers informers(client);
  World world(informers.Stores(), clock);
  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  TicketDesk desk(world, clock);
  runtime::GrpcServer grpc(
      {.listen = common.grpc_listen,
       .tls = tls,
       .allow = {{"/korder.ticket.v1.TicketDesk/Offer", {"korder-admission-svc"}}}},
      metrics);
  grpc.AddService(&desk);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  QuotaCharges charges(config.quota_address, tls);

  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  Metrics ticket_metrics(metrics.registry());
  HandoffDriver handoffs(client, world, events, ticket_metrics, clock);
  ASSIGN_OR_RETURN(const HandoffOptions profile, AskServer(client));
  handoffs.Set(profile);
  Reconciler reconciler(
      {client, world, charges, handoffs, events, ticket_metrics, clock},
      {.image = config.guardian_image, .priority_class = config.guardian_priority_class});
  const BackoffPolicy backoff{.max = absl::Seconds(3)};
  kube::Controller tickets("ticket", reconciler, clock,
                           {.workers = config.workers, .backoff = backoff},
                           metrics.kube_observer());
  NodeLocks locks;
  ClaimReconciler claim_reconciler(
      {client, world, locks, events, clock}, claim_timeout,
      [&tickets](const kube::ObjectKey& ticket) { tickets.Enqueue(ticket); });
  kube::Controller claims("claims", claim_reconciler, clock, {.workers = 2, .backoff = backoff},
                          metrics.kube_observer());
  metrics.ExpectController(tickets.name());
  metrics.ExpectController(claims.name());
  WakeUps wake_ups(world, locks, ticket_metrics, tickets, claims);
  informers.Tell(wake_ups);

  informers.AddTo(manager);
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) {
                               grpc.SetTls(material);
                               charges.SetTls(material);
                             });
  });
  manager.AddBackground("desk", [&](std::stop_token) {
    grpc.SetServing(TicketDesk::kService, true);  // The watches are synced by now.
  });
  manager.AddBackground("clock", [&](std::stop_token s) { WatchClock(clock, wake_ups, s); });
  manager.AddWhileLeading("controllers", [&](std::stop_token s, int64_t) {
    reconciler.ForgetAll();
    wake_ups.Everything();
    const std::jthread thread([&claims, s] { claims.Run(s); });
    tickets.Run(s);
  });
  kube::LeaderElector elector(
      client, clock, {.ns = common.ns, .name = common.FullName(), .identity = common.identity});
  return manager.Run(stop, common.leader_elect ? &elector : nullptr);
}

}  // namespace
}  // namespace korder::ticket

int main(int argc, char** argv) {
  korder::ticket::Config config;
  return korder::runtime::Main(
      argc, argv, "ticket-svc", config.common,
      [&config](CLI::App& app) {
        app.add_option("--quota-address", config.quota_address, "gRPC target of quota-svc")
            ->capture_default_str();
        app.add_option("--guardian-image", config.guardian_image, "image of guardian pods")
            ->capture_default_str();
        app.add_option("--guardian-priority-class", config.guardian_priority_class,
                       "PriorityClass of guardians whose ticket names none")
            ->capture_default_str();
        app.add_option("--claim-timeout", config.claim_timeout,
                       "how long a pod waits for a ticket when it does not say so itself")
            ->capture_default_str();
        app.add_option("--workers", config.workers, "tickets worked on at the same time")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
      },
      [&config](std::stop_token stop) { return korder::ticket::Run(config, std::move(stop)); });
}
