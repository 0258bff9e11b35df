// admission-svc: answers the API server's webhooks and keeps korder's certificates.
// Reads Quotas. Writes the TLS Secrets of the four services, its CA, and the CA bundle of its two
// webhook configurations; asks quota-svc about Orders and Tickets, and ticket-svc about pods that
// are to be refused when no ticket fits. Every replica serves; none leads.
#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "admission-svc/admission_handler.h"
#include "admission-svc/certificate_keeper.h"
#include "admission-svc/config.h"
#include "admission-svc/grpc_peers.h"
#include "admission-svc/pod_webhook.h"
#include "admission-svc/validate.h"
#include "api/core/pod.h"
#include "api/core/webhook_configuration.h"
#include "api/v1alpha1/claim_policy.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "kube/beast_transport.h"
#include "kube/informer.h"
#include "runtime/grpc_server.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/service_main.h"
#include "runtime/tls.h"

namespace korder::admission {
namespace {

template <class T, class Review>
Route RouteFor(std::string_view verb, Review review) {
  return {.path = absl::StrCat("/", std::string(verb), "/", std::string(T::kResource.plural)),
          .group = std::string(T::kResource.group),
          .resource = std::string(T::kResource.plural),
          .review = std::move(review)};
}

std::vector<Route> Routes(const PodWebhook& pods, const Validator& validator) {
  using Request = api::AdmissionRequest;
  return {
      RouteFor<api::Pod>("mutate", [&pods](const Request& r) { return pods.Review(r); }),
      RouteFor<api::Order>("validate",
                           [&validator](const Request& r) { return validator.Order(r); }),
      RouteFor<api::Ticket>("validate",
                            [&validator](const Request& r) { return validator.Ticket(r); }),
      RouteFor<api::Quota>("validate",
                           [&validator](const Request& r) { return validator.Quota(r); }),
      RouteFor<api::ClaimPolicy>(
          "validate", [&validator](const Request& r) { return validator.ClaimPolicy(r); }),
  };
}

absl::Status Run(const Config& config, std::stop_token stop) {
  const runtime::CommonConfig& common = config.common;
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

  CertificateKeeper keeper(client, clock, {.ns = common.ns});
  RETURN_IF_ERROR(keeper.WaitForSecrets(stop));
  ASSIGN_OR_RETURN(const runtime::TlsMaterial tls,
                   runtime::WaitForTlsSecret(client, common.ns, common.TlsSecret(), stop));
  runtime::GrpcServer grpc({.listen = common.grpc_listen, .tls = tls}, metrics);
  RETURN_IF_ERROR(grpc.Start());
  manager.AddServer("grpc", [&](std::stop_token s) { return grpc.Run(s); });
  GrpcQuotaDesk quota_desk(config.quota_address, tls);
  GrpcTicketDesk ticket_desk(config.ticket_address, tls);

  kube::Informer<api::Quota> quotas(client);
  kube::Informer<api::MutatingWebhookConfiguration> pods_configuration(
      client, {.field_selector = absl::StrCat("metadata.name=", kPodsConfiguration)});
  kube::Informer<api::ValidatingWebhookConfiguration> validation_configuration(
      client, {.field_selector = absl::StrCat("metadata.name=", kValidationConfiguration)});
  pods_configuration.OnChange([&](auto*, auto*) { keeper.Wake(); });
  validation_configuration.OnChange([&](auto*, auto*) { keeper.Wake(); });

  const PodWebhook pods(ticket_desk);
  const Validator validator(quota_desk, quotas.store());
  AdmissionHandler handler(Routes(pods, validator), metrics.registry(), clock);
  runtime::HttpServer webhooks(
      {.listen = config.webhook_listen, .tls = tls},
      [&](const runtime::HttpServerRequest& request) { return handler.Handle(request); });
  RETURN_IF_ERROR(webhooks.Start());
  manager.AddServer("webhooks", [&](std::stop_token s) { return webhooks.Run(s); });

  manager.AddInformer(quotas);
  manager.AddInformer(pods_configuration);
  manager.AddInformer(validation_configuration);
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
  return manager.Run(stop, nullptr);
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
      },
      [&config](std::stop_token stop) { return korder::admission::Run(config, std::move(stop)); });
}
