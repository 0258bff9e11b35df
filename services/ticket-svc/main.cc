// ticket-svc: backs each Ticket with a guardian pod and hands its room to the pod that claims it.
// Reads Tickets, guardian pods, pods that ask for a ticket, and Nodes. Writes guardian pods, the
// status of Tickets, and gate, labels, annotations and nomination of the pods that ask; deletes
// finished Tickets; asks quota-svc before every guardian.
#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "api/v1alpha1/names.h"
#include "api/value/duration.h"
#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/informer.h"
#include "kube/leader_transport.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/user_access.h"
#include "ticket-svc/config.h"
#include "ticket-svc/disturbance.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/handoff_options.h"
#include "ticket-svc/leader_work.h"
#include "ticket-svc/quota_charges.h"
#include "ticket-svc/ticket_desk.h"
#include "ticket-svc/wake_ups.h"

namespace korder::ticket {
namespace {

// Guardians and fences: the pods that we make.
std::string OwnPodsSelector() {
  return absl::StrCat(std::string(api::kLabelRole), " in (", std::string(api::kRoleGuardian), ",",
                      std::string(api::kRoleFence), ")");
}

// The four watches of ticket-svc.
struct Informers {
  explicit Informers(kube::Client& client)
      : tickets(client),
        guardians(client, {.label_selector = OwnPodsSelector()}),
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

  kube::Informer<GuardedTicket> tickets;
  kube::Informer<OwnPod> guardians;
  kube::Informer<api::Pod> claim_pods;
  kube::Informer<api::Node> nodes;
};

absl::StatusOr<HandoffOptions> AskServer(kube::Client& client, const Config& config) {
  ASSIGN_OR_RETURN(
      std::string version,
      client.Raw({.method = "GET", .target = "/version", .content_type = "", .body = ""}));
  ASSIGN_OR_RETURN(const int minor, ParseServerMinor(std::move(version)));
  // The command line has checked the names.
  const auto method = *api::FromName<HandoffMethodName>(config.handoff_method);
  const auto fence = *api::FromName<FenceMode>(config.handoff_fence);
  const HandoffOptions options = OptionsFor(minor, fence, method);
  log::Info("how room passes on", {{"server_minor", minor},
                                   {"method", config.handoff_method},
                                   {"fence", config.handoff_fence},
                                   {"scheduler_keeps_order", options.scheduler_keeps_order},
                                   {"settle_ms", absl::ToInt64Milliseconds(options.settle)}});
  return options;
}

// Who schedules, as far as the scheduler's Lease says so: a scheduler that takes over has forgotten
// the nominations of pods behind a gate. Until stop.
void WatchScheduler(kube::Client& client, Disturbance& disturbance, WakeUps& wake_ups,
                    std::stop_token stop) {
  std::string holder;
  while (!stop.stop_requested()) {
    const absl::StatusOr<api::Lease> lease =
        client.Get<api::Lease>({"kube-system", "kube-scheduler"}, {.stop = stop});
    if (lease.ok()) {
      if (!holder.empty() && holder != lease->spec.holder_identity) {
        log::Info("another scheduler has taken over", {{"holder", lease->spec.holder_identity}});
        disturbance.Note();
        wake_ups.AllHandoffs();
      }
      holder = lease->spec.holder_identity;
    }
    // Without a Lease, or the right to read it, there is little use in asking often.
    Pause(lease.ok() ? absl::Seconds(2) : absl::Seconds(30), stop);
  }
}

absl::Status Run(const Config& config, std::stop_token stop) {
  const runtime::CommonConfig& common = config.common;
  ASSIGN_OR_RETURN(const absl::Duration claim_timeout, api::ParseDuration(config.claim_timeout));
  ASSIGN_OR_RETURN(const absl::Duration node_grace, api::ParseDuration(config.node_grace));
  ASSIGN_OR_RETURN(const kube::ClusterConfig cluster, kube::LoadClusterConfig(common.kubeconfig));
  const auto transport = kube::NewBeastTransport(cluster, {.user_agent = common.FullName()});
  runtime::Metrics metrics(common.service);
  SystemClock clock;
  Disturbance disturbance(metrics.kube_observer(), clock);
  kube::Client client(*transport, disturbance);
  kube::LeaderElector elector(client, clock,
                              {.ns = common.ns,
                               .name = common.FullName(),
                               .identity = common.identity,
                               .place = common.pod_uid});
  kube::LeaderTransport writing(*transport,
                                [&] { return !common.leader_elect || elector.leading(); });
  kube::Client leader_client(writing, disturbance);
  runtime::Manager manager(clock);
  runtime::HealthServer health(common.http_listen, manager, metrics);
  RETURN_IF_ERROR(health.Start());

  ASSIGN_OR_RETURN(const HandoffOptions handoff_options, AskServer(client, config));
  const ClaimRules rules{.timeout = claim_timeout, .method = handoff_options.method};
  const GuardianOptions guardian{.image = config.guardian_image,
                                 .priority_class = config.guardian_priority_class,
                                 .pull_secrets = config.guardian_pull_secrets};
  Informers informers(client);
  World world(informers.Stores(), clock);
  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  TicketDesk desk(world, clock, rules);
  runtime::UserAccess users(client, clock, DeskUserAccess());
  runtime::GrpcServer grpc({.listen = common.grpc_listen,
                            .tls = tls,
                            .allow = DeskAllowList(),
                            .user_methods = DeskUserMethods(),
                            .users = &users},
                           metrics);
  grpc.AddService(&desk);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  QuotaCharges charges(config.quota_address, tls);

  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  Metrics ticket_metrics(metrics.registry());
  LeaderWork work({leader_client, world, charges, disturbance, events, ticket_metrics, clock},
                  {.fence_namespace = common.ns,
                   .guardian = guardian,
                   .node_grace = node_grace,
                   .claims = rules,
                   .handoffs = handoff_options,
                   .ticket_workers = config.workers,
                   .handoff_workers = config.workers});
  for (const std::string& name : work.QueueNames()) {
    metrics.ExpectController(name);
  }
  informers.Tell(work.wake_ups());

  informers.AddTo(manager);
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  manager.AddBackground("users", [&](std::stop_token s) { users.Run(s); });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) {
                               grpc.SetTls(material);
                               charges.SetTls(material);
                             });
  });
  manager.AddBackground(
      "ledger", [&](std::stop_token s) { charges.Follow(s, [&] { work.RetryFailedTickets(); }); });
  manager.AddBackground("desk", [&](std::stop_token) {
    grpc.SetServing(TicketDesk::kService, true);  // The watches are synced by now.
  });
  manager.AddBackground("clock", [&](std::stop_token s) {
    WatchClock(
        clock, [&] { work.wake_ups().Everything(); }, s);
  });
  manager.AddBackground("scheduler", [&](std::stop_token s) {
    WatchScheduler(client, disturbance, work.wake_ups(), s);
  });
  manager.AddWhileLeading("idle", [&](std::stop_token s, int64_t) {
    while (!s.stop_requested()) {
      ticket_metrics.CountIdle(clock.Mono());
      Pause(absl::Seconds(1), s);
    }
    ticket_metrics.StopIdle();
  });
  manager.AddWhileLeading("controllers", [&](std::stop_token s, int64_t) { work.Run(s); });
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
        app.add_option("--guardian-pull-secret", config.guardian_pull_secrets,
                       "name of a Secret for the registry of guardian pods, which must be in their "
                       "namespaces; may be repeated");
        app.add_option("--guardian-priority-class", config.guardian_priority_class,
                       "PriorityClass of guardians whose ticket names none")
            ->capture_default_str();
        app.add_option("--claim-timeout", config.claim_timeout,
                       "how long a pod waits for a ticket when it does not say so itself")
            ->capture_default_str();
        app.add_option("--node-grace", config.node_grace,
                       "how long a guardian counts on a node that is not Ready")
            ->capture_default_str();
        app.add_option("--handoff-method", config.handoff_method,
                       "nominate: any pod can claim; preempt: only pods of a priority above the "
                       "guardians', and nobody but the scheduler writes nominations")
            ->check(CLI::IsMember({"nominate", "preempt"}))
            ->capture_default_str();
        app.add_option("--handoff-fence", config.handoff_fence,
                       "ask the scheduler before each release whether it has seen the nomination; "
                       "auto: before Kubernetes 1.35, and for a minute after trouble with the API "
                       "server")
            ->check(CLI::IsMember({"auto", "always", "never"}))
            ->capture_default_str();
        app.add_option("--workers", config.workers, "tickets worked on at the same time")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
      },
      [&config](std::stop_token stop) { return korder::ticket::Run(config, std::move(stop)); });
}
