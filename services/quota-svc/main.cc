// quota-svc: decides what may be reserved, and remembers what was.
// Reads Quotas, Namespaces, Orders and Tickets. Writes its ledger object and the status of Quotas,
// nothing else. Asks the API server who the people are that query it.
#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/event_recorder.h"
#include "kube/leader_elector.h"
#include "quota-svc/config.h"
#include "quota-svc/leadership.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/ledger_service.h"
#include "quota-svc/metrics.h"
#include "quota-svc/observed.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/tls.h"
#include "runtime/user_access.h"

namespace korder::quota {
namespace {

// Every caller waits on a thread of its own for the write that makes its answer durable.
constexpr int kMaxCallers = 320;

// What Kubernetes must allow a person who asks the ledger.
api::ResourceAttributes UserAccessNeeded() {
  return {.verb = "get",
          .group = std::string(api::Quota::kResource.group),
          .resource = std::string(api::Quota::kResource.plural),
          .ns = "",
          .name = ""};
}

absl::Status Run(const Config& config, std::stop_token stop) {
  const runtime::CommonConfig& common = config.common;
  ASSIGN_OR_RETURN(const kube::ClusterConfig cluster, kube::LoadClusterConfig(common.kubeconfig));
  const auto transport = kube::NewBeastTransport(cluster, {.user_agent = common.FullName()});
  runtime::Metrics metrics(common.service);
  kube::Client client(*transport, metrics.kube_observer());
  SystemClock clock;
  runtime::Manager manager(clock);
  runtime::HealthServer health(common.http_listen, manager, metrics);
  RETURN_IF_ERROR(health.Start());

  const absl::Duration ttl = absl::Seconds(config.grant_ttl_seconds);
  Metrics quota_metrics(metrics.registry());
  LedgerDesk desk(clock, quota_metrics, FindNamespaceBy(client), {.grant_ttl = ttl});
  LedgerService service(desk);

  runtime::UserAccess users(client, clock, {.access = UserAccessNeeded()});
  manager.AddBackground("users", [&](std::stop_token s) { users.Run(s); });

  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  runtime::GrpcServer grpc({.listen = common.grpc_listen,
                            .tls = tls,
                            .allow = LedgerAllowList(),
                            .user_methods = LedgerUserMethods(),
                            .users = &users,
                            .max_threads = kMaxCallers},
                           metrics);
  grpc.AddService(&service);
  const std::string serving = pb::QuotaLedger::service_full_name();
  grpc.SetServing(serving, false);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) { grpc.SetTls(material); });
  });

  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  metrics.ExpectController("quota");
  Leadership leadership(
      {.client = client,
       .clock = clock,
       .desk = desk,
       .events = events,
       .metrics = quota_metrics,
       .observer = metrics.kube_observer(),
       .set_serving = [&](bool now) { grpc.SetServing(serving, now); }},
      {.log = {
           .ns = common.ns, .name = config.ledger, .writer = common.identity, .closed_for = ttl}});
  manager.AddWhileLeading("ledger",
                          [&](std::stop_token s, int64_t epoch) { leadership.Run(s, epoch); });
  kube::LeaderElector elector(client, clock,
                              {.ns = common.ns,
                               .name = common.FullName(),
                               .identity = common.identity,
                               .place = common.pod_uid,
                               // Each write is on a version, and the ledger has its epoch besides:
                               // what a dead leader had sent fails, or is read.
                               .settle_time = absl::ZeroDuration()});
  // A follower is ready: it stands by. A leader is when it answers.
  manager.AddReadyCheck("ledger", [&] {
    return elector.leading() && !desk.open() ? UnavailableError("is being taken over")
                                             : absl::OkStatus();
  });
  return manager.Run(stop, common.leader_elect ? &elector : nullptr);
}

}  // namespace
}  // namespace korder::quota

int main(int argc, char** argv) {
  korder::quota::Config config;
  return korder::runtime::Main(
      argc, argv, "quota-svc", config.common,
      [&](CLI::App& app) {
        app.add_option("--ledger", config.ledger, "Name of the ConfigMap that holds the ledger");
        app.add_option("--grant-ttl", config.grant_ttl_seconds,
                       "Seconds that a reservation waits for its Ticket")
            ->check(CLI::Range(5, 3600));
      },
      [&](std::stop_token stop) { return korder::quota::Run(config, stop); });
}
