// ticket-svc: backs each Ticket with a guardian pod and hands its room to the pod that claims it.
// Reads Tickets, guardian pods, pods that ask for a ticket, and Nodes. Writes guardian pods, the
// status of Tickets, and gate, labels, annotations and nomination of the pods that ask; asks
// quota-svc before every guardian.
#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "api/value/duration.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/beast_transport.h"
#include "runtime/grpc_client.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/tls.h"
#include "ticket-svc/claim_reconciler.h"
#include "ticket-svc/config.h"
#include "ticket-svc/quota_ledger.h"
#include "ticket-svc/reconciler.h"
#include "ticket-svc/ticket_desk.h"

namespace korder::ticket {
namespace {

struct ServerVersion {
  std::string major;
  std::string minor;
  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("major", self.major);
    v("minor", self.minor);
  }
};

// How long a guardian must be gone before a gate opens. From 1.35 on the scheduler needs no time.
absl::StatusOr<absl::Duration> SettleTime(kube::Client& client) {
  ASSIGN_OR_RETURN(
      std::string body,
      client.Raw({.method = "GET", .target = "/version", .content_type = {}, .body = {}}));
  ServerVersion version;
  RETURN_IF_ERROR(Annotate(json::Parse(std::move(body), version), "GET /version"));
  int minor = 0;
  while (!version.minor.empty() && !absl::SimpleAtoi(version.minor, &minor)) {
    version.minor.pop_back();  // "34+"
  }
  if (minor >= 35) {
    return absl::ZeroDuration();
  }
  log::Warn("servers before 1.35 can lose a room in a rare race of the scheduler's watches",
            {{"server", version.major + "." + version.minor}});
  return absl::Milliseconds(500);
}

// Who is woken by which change.
void Wire(World& world, Metrics& metrics, ClaimReconciler& claimer, kube::Controller& tickets,
          kube::Controller& claims) {
  world.tickets.OnChange([&](const api::Ticket* was, const api::Ticket* is) {
    metrics.OnTicket(was, is);
    const api::Ticket& ticket = is != nullptr ? *is : *was;
    tickets.Enqueue(kube::KeyOf(ticket));
    const bool handing = is != nullptr && is->status.handoff.has_value();
    if (was != nullptr && was->status.handoff && !handing) {
      for (const std::string& ns : claimer.TakeWaitingFor(was->status.handoff->node)) {
        claims.Enqueue({"", ns});
      }
    }
    if (!handing && is != nullptr && is->status.phase == api::TicketPhase::kReady) {
      claims.Enqueue({"", ticket.metadata.ns});
    }
  });
  world.guardians.OnChange([&](const api::Pod* was, const api::Pod* is) {
    metrics.OnGuardian(was, is);
    const api::Pod& pod = is != nullptr ? *is : *was;
    if (const api::OwnerReference* owner = api::ControllerOf(pod.metadata)) {
      tickets.Enqueue({pod.metadata.ns, owner->name});
    }
  });
  world.claims.OnChange([&](const api::Pod* was, const api::Pod* is) {
    const api::Pod& pod = is != nullptr ? *is : *was;
    const auto ticket = api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimedTicket);
    if (!ticket.empty()) {
      tickets.Enqueue({pod.metadata.ns, std::string(ticket)});
    } else if (is != nullptr && IsWaiting(*is)) {
      claims.Enqueue({"", pod.metadata.ns});
    }
  });
  world.nodes.OnChange([&](const api::Node* was, const api::Node* is) {
    if (was != nullptr && is != nullptr) {
      return;  // Heartbeats; what a node refuses is looked at when somebody asks.
    }
    const std::string& name = (is != nullptr ? *is : *was).metadata.name;
    for (const TicketPtr& ticket : world.tickets.store().List()) {
      if (ticket->status.node_name == name) {
        tickets.Enqueue(kube::KeyOf(*ticket));
      }
    }
  });
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

  World world(client);
  TicketDesk desk(world, clock, claim_timeout);
  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  runtime::GrpcServer grpc(
      {.listen = common.grpc_listen,
       .tls = tls,
       .allow = {{"/korder.ticket.v1.TicketDesk/Offer", {"korder-admission-svc"}}}},
      metrics);
  grpc.AddService(&desk);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) { grpc.SetTls(material); });
  });

  ASSIGN_OR_RETURN(const absl::Duration settle, SettleTime(client));
  QuotaLedger ledger(runtime::NewChannel({.address = config.quota_address,
                                          .peer = "korder-quota-svc",
                                          .tls = tls,
                                          .health_service = runtime::LedgerClient::kService}));
  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  Metrics ticket_metrics(metrics.registry());
  HandoffRunner handoffs(client, world, events, ticket_metrics, clock, settle);
  Reconciler reconciler(
      {client, world, ledger, handoffs, events, ticket_metrics, clock},
      {.image = config.guardian_image, .priority_class = config.guardian_priority_class});
  ClaimReconciler claimer(client, world, events, clock, claim_timeout);
  const kube::BackoffPolicy backoff{.max = absl::Seconds(3)};
  metrics.ExpectController("ticket");
  metrics.ExpectController("claims");
  kube::Controller tickets("ticket", reconciler, clock,
                           {.workers = config.workers, .backoff = backoff},
                           metrics.kube_observer());
  kube::Controller claims("claims", claimer, clock, {.workers = 2, .backoff = backoff},
                          metrics.kube_observer());
  Wire(world, ticket_metrics, claimer, tickets, claims);

  manager.AddInformer(world.tickets);
  manager.AddInformer(world.guardians);
  manager.AddInformer(world.claims);
  manager.AddInformer(world.nodes);
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  manager.AddWhileLeading("ticket", [&](std::stop_token s, int64_t) {
    reconciler.ForgetAll();
    for (const TicketPtr& ticket : world.tickets.store().List()) {
      tickets.Enqueue(kube::KeyOf(*ticket));
    }
    tickets.Run(s);
  });
  manager.AddWhileLeading("claims", [&](std::stop_token s, int64_t) {
    for (const PodPtr& pod : world.claims.store().List()) {
      claims.Enqueue({"", pod->metadata.ns});
    }
    claims.Run(s);
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
