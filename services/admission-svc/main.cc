// admission-svc: answers the API server's webhooks, keeps korder's certificates, and makes
// ClaimPolicies work. Reads Quotas, ClaimPolicies, nodes' sizes and the pods that claim. Writes the
// TLS Secrets of the four services, its CA, the CA bundle of its two webhook configurations (all
// unless somebody else makes the certificates), and the webhooks and status of ClaimPolicies; asks
// quota-svc about Orders and Tickets, and ticket-svc about pods that are to be refused when no
// ticket fits. Every replica serves and keeps certificates; the one that leads looks after
// ClaimPolicies.
#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "admission-svc/admission_handler.h"
#include "admission-svc/certificate_keeper.h"
#include "admission-svc/claim_router_service.h"
#include "admission-svc/config.h"
#include "admission-svc/grpc_peers.h"
#include "admission-svc/node_sizes.h"
#include "admission-svc/pod_webhook.h"
#include "admission-svc/policy_reconciler.h"
#include "admission-svc/routes.h"
#include "admission-svc/validate.h"
#include "api/core/pod.h"
#include "api/core/secret.h"
#include "api/core/webhook_configuration.h"
#include "api/v1alpha1/claim_policy.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/event_recorder.h"
#include "kube/informer.h"
#include "kube/leader_elector.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/tls.h"
#include "runtime/user_access.h"

namespace korder::admission {
namespace {

// One watch per Secret: who may read only some of them must name the one it asks for.
using KeptSecrets = std::vector<std::unique_ptr<kube::Informer<api::Secret>>>;

KeptSecrets WatchKeptSecrets(kube::Client& client, const std::string& ns,
                             CertificateKeeper& keeper) {
  KeptSecrets secrets;
  for (const std::string& name : keeper.secret_names()) {
    secrets.push_back(std::make_unique<kube::Informer<api::Secret>>(
        client,
        kube::ListWatchOptions{.ns = ns, .field_selector = absl::StrCat("metadata.name=", name)}));
    secrets.back()->OnChange([&keeper](auto*, auto*) { keeper.Wake(); });
  }
  return secrets;
}

// What has to be looked at again when something changed.
void WakePolicies(kube::Informer<api::ClaimPolicy>& policies,
                  kube::Informer<api::MutatingWebhookConfiguration>& configurations,
                  kube::Informer<ClaimingPod>& pods, kube::Controller& entries,
                  kube::Controller& statuses) {
  const kube::ObjectKey configuration{"", kPodsConfiguration};
  policies.OnChange([&, configuration](const auto* was, const auto* is) {
    // Which pods are a policy's depends on the older ones of its namespace.
    const std::string& ns = (is != nullptr ? *is : *was).metadata.ns;
    for (const auto& policy : policies.store().ByIndex(kByNamespace, ns)) {
      statuses.Enqueue(kube::KeyOf(*policy));
    }
    if (is == nullptr) {
      statuses.Enqueue(kube::KeyOf(*was));
    }
    entries.Enqueue(configuration);
  });
  configurations.OnChange([&, configuration](auto*, auto*) {
    entries.Enqueue(configuration);
    for (const auto& policy : policies.store().List()) {
      statuses.Enqueue(kube::KeyOf(*policy));
    }
  });
  pods.OnChange([&statuses](const ClaimingPod* was, const ClaimingPod* is) {
    for (const ClaimingPod* pod : {was, is}) {
      if (pod != nullptr && !pod->metadata.annotations.policy.empty()) {
        statuses.Enqueue({pod->metadata.ns, pod->metadata.annotations.policy});
      }
    }
  });
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

  const auto source =
      config.certificates == "self" ? CertificateSource::kSelf : CertificateSource::kExternal;
  CertificateKeeper keeper(client, clock, {.ns = common.ns, .source = source});
  RETURN_IF_ERROR(keeper.WaitForSecrets(stop));
  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  GrpcQuotaDesk quota_desk(config.quota_address, tls);
  GrpcTicketDesk ticket_desk(config.ticket_address, tls);

  kube::Informer<api::Quota> quotas(client);
  kube::Informer<api::ClaimPolicy> policies(client);
  policies.store().AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
  kube::Informer<ClaimingPod> claiming_pods(client,
                                            {.label_selector = std::string(api::kLabelClaim)});
  claiming_pods.store().AddIndex(kByPolicy, PolicyOf);
  kube::Informer<NodeSize> nodes(client);
  kube::Informer<api::MutatingWebhookConfiguration> pods_configuration(
      client, {.field_selector = absl::StrCat("metadata.name=", kPodsConfiguration)});
  kube::Informer<api::ValidatingWebhookConfiguration> validation_configuration(
      client, {.field_selector = absl::StrCat("metadata.name=", kValidationConfiguration)});
  const KeptSecrets kept_secrets = WatchKeptSecrets(client, common.ns, keeper);
  pods_configuration.OnChange([&](auto*, auto*) { keeper.Wake(); });
  validation_configuration.OnChange([&](auto*, auto*) { keeper.Wake(); });

  const PodWebhook pods(ticket_desk, policies.store(), [&] { return policies.synced(); });
  NodeSizes sizes;
  nodes.OnChange([&sizes](auto*, const NodeSize* is) {
    if (is != nullptr) {
      sizes.Note(is->status.allocatable);
    }
  });
  const Validator validator(quota_desk, quotas.store(), sizes, clock);
  AdmissionHandler handler(Routes(pods, validator), metrics.registry(), clock);
  // API servers keep connections for 90 s; who closes them first must be the one who sends on them.
  runtime::HttpServer webhooks(
      {.listen = config.webhook_listen,
       .tls = tls,
       .idle_timeout = absl::Seconds(120),
       .farewell = absl::Seconds(2)},
      [&](const runtime::HttpServerRequest& request) { return handler.Handle(request); });
  RETURN_IF_ERROR(webhooks.Start());
  manager.AddServer("webhooks", [&](std::stop_token s) { return webhooks.Run(s); });

  kube::EventRecorder events(client, clock,
                             {.component = common.FullName(), .instance = common.identity});
  const PolicyStores stores{policies.store(), pods_configuration.store(), claiming_pods.store()};
  ClaimRouterService router(ticket_desk, stores);
  runtime::UserAccess users(client, clock, RouterUserAccess());
  runtime::GrpcServer grpc({.listen = common.grpc_listen,
                            .tls = tls,
                            .allow = RouterAllowList(),
                            .user_methods = RouterUserMethods(),
                            .users = &users},
                           metrics);
  grpc.AddService(&router);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });

  EntryReconciler entry_reconciler(client, stores, common.ns);
  PolicyReconciler policy_reconciler(client, stores, events, clock);
  const BackoffPolicy backoff{.max = absl::Seconds(3)};
  kube::Controller entries("claimpolicy-webhooks", entry_reconciler, clock,
                           {.workers = 1, .backoff = backoff}, metrics.kube_observer());
  kube::Controller statuses("claimpolicy", policy_reconciler, clock,
                            {.workers = 2, .backoff = backoff}, metrics.kube_observer());
  metrics.ExpectController(entries.name());
  metrics.ExpectController(statuses.name());
  WakePolicies(policies, pods_configuration, claiming_pods, entries, statuses);

  manager.AddInformer(quotas);
  manager.AddInformer(policies);
  manager.AddInformer(claiming_pods);
  manager.AddInformer(nodes);
  manager.AddInformer(pods_configuration);
  manager.AddInformer(validation_configuration);
  for (const auto& secret : kept_secrets) {
    manager.AddInformer(*secret);
  }
  manager.AddReadyCheck("certificates", [&] { return keeper.Ready(); });
  manager.AddBackground("keeper", [&](std::stop_token s) { keeper.Run(s); });
  manager.AddBackground("certificates", [&](std::stop_token s) {
    runtime::FollowTlsSecret(client, common.ns, common.TlsSecret(), s,
                             [&](const runtime::TlsMaterial& material) {
                               webhooks.SetTls(material);
                               grpc.SetTls(material);
                               quota_desk.SetTls(material);
                               ticket_desk.SetTls(material);
                             });
  });
  manager.AddBackground("users", [&](std::stop_token s) { users.Run(s); });
  manager.AddBackground("router", [&](std::stop_token) {
    grpc.SetServing(pb::ClaimRouter::service_full_name(), true);  // The watches are synced by now.
  });
  manager.AddBackground("events", [&](std::stop_token s) { events.Run(s); });
  manager.AddWhileLeading("webhooks", [&](std::stop_token s, int64_t) { entries.Run(s); });
  manager.AddWhileLeading("policies", [&](std::stop_token s, int64_t) { statuses.Run(s); });
  kube::LeaderElector elector(client, clock,
                              {.ns = common.ns,
                               .name = common.FullName(),
                               .identity = common.identity,
                               .place = common.pod_uid});
  return manager.Run(stop, common.leader_elect ? &elector : nullptr);
}

}  // namespace
}  // namespace korder::admission

int main(int argc, char** argv) {
  korder::admission::Config config;
  return korder::runtime::Main(
      argc, argv, "admission-svc", config.common,
      [&config](CLI::App& app) {
        app.add_option("--webhook-listen", config.webhook_listen, "where the webhooks are served")
            ->capture_default_str();
        app.add_option("--quota-address", config.quota_address, "gRPC target of quota-svc")
            ->capture_default_str();
        app.add_option("--ticket-address", config.ticket_address, "gRPC target of ticket-svc")
            ->capture_default_str();
        app.add_option("--certificates", config.certificates,
                       "self: make and renew those of all services; external: somebody else does, "
                       "and writes the CA bundle of the webhooks, too")
            ->check(CLI::IsMember({"self", "external"}))
            ->capture_default_str();
      },
      [&config](std::stop_token stop) { return korder::admission::Run(config, std::move(stop)); });
}
