// A cluster for the tests of the whole program: an API server in memory, and an order-svc in this
// process that says what a test wants, found through the API server as it is in real life.
//
//   Cluster cluster;
//   cluster.AddOrder("nightly", R"({"replicas":2})");
//   CHECK(cluster.Run({"orders"}).code == 0);
#pragma once

#include <chrono>
#include <grpcpp/server.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "api/core/config_map.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/order.h"
#include "base/testing/fake_clock.h"
#include "cli/testing.h"
#include "cli/testing_shell.h"
#include "korder/order/v1/order.grpc.pb.h"
#include "kube/client.h"
#include "kube/testing/fake_api_server.h"

namespace korder::cli {

inline std::string ValueOf(const grpc::ServerContext& context, const std::string& key) {
  const auto it = context.client_metadata().find(key);
  return it == context.client_metadata().end() ? ""
                                               : std::string(it->second.data(), it->second.size());
}

// What a test wants order-svc to say.
class Planner final : public order_pb::OrderPlanner::Service {
 public:
  grpc::Status Preview(grpc::ServerContext* context, const order_pb::PreviewRequest* request,
                       order_pb::PreviewResponse* response) override {
    asked_preview = *request;
    token = ValueOf(*context, "authorization");
    ns = ValueOf(*context, "korder-namespace");
    *response = preview;
    return answer;
  }
  grpc::Status Calendar(grpc::ServerContext* context, const order_pb::CalendarRequest* request,
                        order_pb::CalendarResponse* response) override {
    asked_calendar = *request;
    ns = ValueOf(*context, "korder-namespace");
    *response = calendar;
    return answer;
  }

  order_pb::PreviewResponse preview;
  order_pb::CalendarResponse calendar;
  grpc::Status answer;
  order_pb::PreviewRequest asked_preview;
  order_pb::CalendarRequest asked_calendar;
  std::string token;
  std::string ns;
};

// Hands requests on; the connector owns its transport.
class Borrowed final : public kube::HttpTransport {
 public:
  explicit Borrowed(kube::HttpTransport& transport) : transport_(transport) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override {
    return transport_.Do(request, options);
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override {
    return transport_.Open(request, options);
  }

 private:
  kube::HttpTransport& transport_;
};

class Cluster {
 public:
  Cluster() {
    grpc::EnableDefaultHealthCheckService(true);
    const runtime::TlsMaterial tls = Ca().Issue("korder-order-svc");
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs = {{tls.key, tls.certificate}};
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.RegisterService(&planner);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
    server_->GetHealthCheckService()->SetServingStatus("korder.order.v1.OrderPlanner", true);

    Post(
        "/api/v1/namespaces/korder-system/services",
        R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"korder-order-svc","namespace":"korder-system"}})");
    Post(
        "/apis/discovery.k8s.io/v1/namespaces/korder-system/endpointslices",
        absl::Substitute(
            R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"korder-order-svc-1","namespace":"korder-system",
                 "labels":{"kubernetes.io/service-name":"korder-order-svc"}},"ports":[{"name":"grpc","port":$0}],
                 "endpoints":[{"addresses":["127.0.0.1"]}]})",
            port));
    api::ConfigMap map;
    map.metadata.name = "korder-ca";
    map.metadata.ns = "korder-system";
    map.data["ca.crt"] = Ca().Issue("x").ca;
    REQUIRE(client.Create(map).ok());

    shell.clock = &clock;
    shell.surroundings = SurroundingsOfProcess();
    shell.surroundings.korder_server.clear();
    shell.surroundings.cluster = {
        .kubeconfig = shell.Write("config",
                                  "current-context: a\ncontexts: [{name: a, context: {cluster: c, "
                                  "user: u, namespace: team}}]\n"
                                  "clusters: [{name: c, cluster: {server: 'https://h'}}]\nusers: "
                                  "[{name: u, user: {token: mine}}]\n")};
    shell.surroundings.new_transport = [this](const kube::ClusterConfig&) {
      return std::make_unique<Borrowed>(api);
    };
  }
  ~Cluster() { server_->Shutdown(std::chrono::system_clock::now()); }

  void AddOrder(const std::string& name, const std::string& spec) {
    const auto order = api::FromJson<api::Order>(absl::StrCat(
        R"({"metadata":{"name":")", name, R"(","namespace":"team"},"spec":)", spec, "}"));
    const auto made = client.Create(order);
    INFO(ToString(made.status()));
    REQUIRE(made.ok());
  }
  api::OrderSpec Spec(const std::string& name) {
    const auto order = client.Get<api::Order>({"team", name});
    REQUIRE(order.ok());
    return order->spec;
  }
  void Post(const std::string& target, const std::string& body) {
    const auto made = client.Raw({.method = "POST", .target = target, .body = body});
    INFO(ToString(made.status()));
    REQUIRE(made.ok());
  }
  Outcome Run(std::vector<std::string> args, const std::string& input = "") {
    return shell.Run(std::move(args), input);
  }

  FakeClock clock{kNow};
  kube::FakeApiServer api{clock};
  kube::Client client{api};
  Planner planner;
  Shell shell;

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace korder::cli
