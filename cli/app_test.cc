// korderctl as a whole, against a quota-svc in this process: TLS, health, tokens, exit codes.
#include "cli/app.h"

#include <atomic>
#include <functional>
#include <grpcpp/server.h>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "cli/testing.h"
#include "cli/testing_api.h"
#include "cli/testing_shell.h"
#include "korder/quota/v1/quota.grpc.pb.h"

namespace korder::cli {
namespace {

constexpr char kLedger[] = "korder.quota.v1.QuotaLedger";

// What a test wants of the server.
class Ledger final : public pb::QuotaLedger::Service {
 public:
  grpc::Status Query(grpc::ServerContext* context, const pb::QueryRequest* request,
                     pb::QueryResponse* response) override {
    ++calls;
    const auto token = context->client_metadata().find("authorization");
    if (token == context->client_metadata().end() || token->second != "Bearer mine") {
      return {grpc::StatusCode::UNAUTHENTICATED, "unknown token"};
    }
    if (!answer.ok()) {
      return answer;
    }
    const std::vector<std::string> wanted(request->quotas().begin(), request->quotas().end());
    for (const pb::QuotaUsage& quota : quotas) {
      if (wanted.empty() ||
          std::find(wanted.begin(), wanted.end(), quota.quota()) != wanted.end()) {
        *response->add_quotas() = quota;
      }
    }
    return grpc::Status::OK;
  }
  grpc::Status Check(grpc::ServerContext*, const pb::CheckRequest* request,
                     pb::CheckResponse* response) override {
    response->set_fitting_tickets(std::min(request->tickets(), 2));
    response->set_order_fits(true);
    response->add_quotas("team-quota");
    if (request->tickets() > 2) {
      response->add_denials()->set_quota("team-quota");
    }
    return grpc::Status::OK;
  }
  // One message, then whatever `after_first` says.
  grpc::Status Watch(grpc::ServerContext*, const pb::WatchRequest*,
                     grpc::ServerWriter<pb::WatchResponse>* writer) override {
    const int number = ++watches;
    pb::WatchResponse message;
    message.set_epoch(number);
    *message.add_quotas() = TeamQuota();
    message.mutable_quotas(0)->mutable_entries(4)->set_used(absl::StrCat(number));
    writer->Write(message);
    return after_first(number);
  }

  std::vector<pb::QuotaUsage> quotas = {TeamQuota()};
  grpc::Status answer;
  std::function<grpc::Status(int)> after_first = [](int) { return grpc::Status::OK; };
  std::atomic<int> calls = 0;
  std::atomic<int> watches = 0;
};

// A replica of quota-svc on a free port.
class Replica {
 public:
  explicit Replica(bool leads = true) {
    grpc::EnableDefaultHealthCheckService(true);
    const runtime::TlsMaterial tls = Ca().Issue("korder-quota-svc");
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs = {{tls.key, tls.certificate}};
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(&ledger);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
    server_->GetHealthCheckService()->SetServingStatus(kLedger, leads);
  }
  ~Replica() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  int port() const { return port_; }
  void Lead() { server_->GetHealthCheckService()->SetServingStatus(kLedger, true); }

  Ledger ledger;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

constexpr char kOrder[] = R"(
apiVersion: core.korder.dev/v1alpha1
kind: Order
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  template: {spec: {resources: {requests: {cpu: 1}}}}
)";

TEST_CASE("korderctl: a question is answered over TLS, with the user's token", "[app]") {
  const Replica replica;
  Shell shell;
  const Outcome list = shell.Ask(replica.address(), {"quota", "list"});
  INFO(list.err);
  CHECK(list.code == 0);
  CHECK_THAT(list.out, Catch::Contains("team-quota   NamespaceSelector"));
  CHECK_THAT(shell.Ask(replica.address(), {"quota", "get", "team-quota", "-o", "json"}).out,
             Catch::StartsWith("{\n  \"name\": \"team-quota\""));
  CHECK_THAT(shell.Ask(replica.address(), {"quota", "usage"}).out, Catch::Contains("36 / 50"));
}

TEST_CASE("korderctl: the exit code of check says whether it fits", "[app]") {
  const Replica replica;
  Shell shell;
  const Outcome fits =
      shell.Ask(replica.address(), {"quota", "check", "-f", shell.Write("o.yaml", kOrder)});
  INFO(fits.err);
  CHECK(fits.code == 0);
  CHECK_THAT(fits.out, Catch::Contains("fits: all 2 tickets"));
  const Outcome more =
      shell.Ask(replica.address(), {"quota", "check", "-f", "-", "--tickets", "3"}, kOrder);
  CHECK(more.code == 3);
  CHECK_THAT(more.out, Catch::Contains("2 of 3 tickets fit"));
  const Outcome wrong = shell.Ask(replica.address(), {"quota", "check", "-f", "-"}, "a: [");
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.err, Catch::StartsWith("error: standard input: "));
  CHECK(shell.Ask(replica.address(), {"quota", "check", "-f", "/no/file"}).code == 1);
  CHECK(shell.Ask(replica.address(), {"quota", "check", "-f", "-", "--at", "noon"}, kOrder).code ==
        1);
}

TEST_CASE("korderctl: two orders that fit alone and not together are denied", "[app]") {
  Replica replica;
  replica.ledger.quotas[0].mutable_entries(2)->set_available("3");
  Shell shell;
  std::string other = kOrder;
  other.replace(other.find("web"), 3, "api");
  const Outcome both = shell.Ask(replica.address(), {"quota", "check", "-f", "-"},
                                 std::string(kOrder) + "---" + other);
  CHECK(both.code == 3);
  CHECK_THAT(both.out, Catch::Contains("together: does not fit: 2 objects"));
}

TEST_CASE("korderctl: what cannot be done has its own exit code", "[app]") {
  Replica replica;
  Shell shell;
  const Outcome missing = shell.Ask(replica.address(), {"quota", "get", "team-quota", "nope"});
  CHECK(missing.code == 5);
  CHECK_THAT(missing.out, Catch::Contains("team-quota"));
  CHECK_THAT(missing.err, Catch::StartsWith("error: there is no quota nope"));

  replica.ledger.answer = {grpc::StatusCode::PERMISSION_DENIED, "joe may not"};
  CHECK(shell.Ask(replica.address(), {"quota", "list"}).code == 4);
  replica.ledger.answer = {grpc::StatusCode::INVALID_ARGUMENT, "namespace: bad"};
  CHECK(shell.Ask(replica.address(), {"quota", "list"}).err == "error: namespace: bad\n");
  CHECK(
      shell.Ask(replica.address(), {"quota", "list", "--ca-file", shell.Write("junk", "x")}).code ==
      1);
}

TEST_CASE("korderctl: an unknown token is refused at once", "[app]") {
  const Replica replica;
  Shell shell;
  const Outcome list = shell.Run({"quota", "list", "--server", replica.address(), "--token",
                                  "stolen", "--ca-file", shell.Write("ca", Ca().Issue("x").ca)});
  CHECK(list.code == 4);
  CHECK_THAT(list.err, Catch::Contains("does not accept your token: unknown token"));
  CHECK(replica.ledger.calls == 1);
}

TEST_CASE("korderctl: a server of another CA is not spoken to, and not for long", "[app]") {
  const Replica replica;
  Shell shell;
  const Outcome list =
      shell.Run({"quota", "list", "--timeout", "30s", "--server", replica.address(), "--token",
                 "mine", "--ca-file", shell.Write("ca", runtime::TestCa().Issue("x").ca)});
  CHECK(list.code == 2);
  CHECK_THAT(list.err, Catch::Contains("does not prove to be korder's quota-svc"));
  CHECK(replica.ledger.calls == 0);
}

TEST_CASE("korderctl: it waits for a leader as long as --timeout says", "[app]") {
  Replica replica(/*leads=*/false);
  Shell shell;
  const Outcome none = shell.Ask(replica.address(), {"quota", "list", "--timeout", "1s"});
  CHECK(none.code == 2);
  CHECK_THAT(none.err,
             Catch::Contains("quota-svc runs at " + replica.address() + ", but none of its"));
  CHECK(replica.ledger.calls == 0);
  const std::jthread election([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    replica.Lead();
  });
  const Outcome list = shell.Ask(replica.address(), {"quota", "list", "--timeout", "30s"});
  INFO(list.err);
  CHECK(list.code == 0);
}

TEST_CASE("korderctl: of several replicas the one that leads is asked", "[app]") {
  const Replica follower(/*leads=*/false);
  const Replica leader;
  const std::string slice =
      R"({"ports":[{"name":"grpc","port":$0}],"endpoints":[{"addresses":["127.0.0.1"]}]})";
  const Answers::ByRequest answers = {
      {"GET /api/v1/namespaces/korder-system/services/korder-quota-svc",
       {.status = 200, .body = "{}"}},
      {"GET /apis/discovery.k8s.io/v1/namespaces/korder-system/endpointslices",
       {.status = 200,
        .body = absl::StrCat("{\"items\":[", absl::Substitute(slice, follower.port()), ",",
                             absl::Substitute(slice, leader.port()), "]}")}}};
  Shell shell;
  shell.surroundings = SurroundingsOfProcess();
  shell.surroundings.cluster = {
      .kubeconfig = shell.Write("config",
                                "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n"
                                "clusters: [{name: c, cluster: {server: 'https://h'}}]\n")};
  shell.surroundings.korder_server.clear();
  shell.surroundings.new_transport = [&](const kube::ClusterConfig&) {
    return std::make_unique<Answers>(answers);
  };
  const Outcome list = shell.Run(
      {"quota", "list", "--token", "mine", "--ca-file", shell.Write("ca", Ca().Issue("x").ca)});
  INFO(list.err);
  CHECK(list.code == 0);
  CHECK(leader.ledger.calls == 1);
  CHECK(follower.ledger.calls == 0);
}

TEST_CASE("korderctl: a broken connection of a watch is made again, and nothing is told twice",
          "[app]") {
  Replica replica;
  Shell shell;
  replica.ledger.after_first = [&](int number) {
    if (number == 3) {
      shell.stop.request_stop();
    }
    return number == 1 ? grpc::Status::OK
                       : grpc::Status(grpc::StatusCode::UNAVAILABLE, "not the leader");
  };
  const Outcome watch = shell.Ask(replica.address(), {"quota", "watch"});
  CHECK_THAT(watch.out, Catch::Contains("orders 3/10; tickets 1/50;"));
  CHECK_THAT(watch.out, Catch::Contains("Z  team-quota  tickets 2/50 (+1)\n"));
  CHECK_THAT(watch.err, Catch::Contains(": the stream ended; is korder running?") &&
                            Catch::Contains("\nconnected again\n"));
  CHECK_THAT(watch.err,
             Catch::Contains("connection lost, trying again: korder's quota-svc does not answer") &&
                 Catch::Contains(": not the leader;"));
}

TEST_CASE("korderctl: a watch ends when the user may not watch any more", "[app]") {
  Replica replica;
  Shell shell;
  replica.ledger.after_first = [](int number) {
    return number == 1 ? grpc::Status::OK
                       : grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "joe may not");
  };
  const Outcome watch = shell.Ask(replica.address(), {"quota", "watch", "-o", "json"});
  CHECK(watch.code == 4);
  CHECK(replica.ledger.watches == 2);
  CHECK_THAT(watch.out,
             Catch::Contains("\"type\":\"Added\"") && Catch::Contains("\"type\":\"Modified\""));
}

TEST_CASE("korderctl: wrong use is told, with the way to help", "[app]") {
  Shell shell;
  for (const std::vector<std::string>& args : {std::vector<std::string>{"nope"},
                                               {"quota", "nope"},
                                               {"quota", "list", "-o", "x"},
                                               {"quota", "get"},
                                               {"quota", "check"},
                                               {"completion", "tcsh"}}) {
    const Outcome outcome = shell.Run(args);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err,
               Catch::StartsWith("error: ") && Catch::EndsWith("; see: korderctl --help\n"));
  }
  CHECK_THAT(shell.Run({}).err, Catch::Contains("Exit codes:"));
  CHECK(shell.Run({"quota"}).code == 1);
  CHECK(shell.Run({"quota", "list", "--timeout", "-1s"}).code == 1);
}

TEST_CASE("korderctl: a file to explain takes the place of a pod's name, and is read first",
          "[app]") {
  Shell shell;
  const Outcome both = shell.Run({"explain", "pod", "web", "-f", "-"});
  CHECK(both.code == 1);
  CHECK_THAT(both.err, Catch::Contains("takes the place of pod or ticket"));
  const Outcome nothing = shell.Run({"explain", "-n", "shop", "-f", "-"}, kOrder);
  CHECK(nothing.code == 1);
  CHECK_THAT(nothing.err, Catch::Contains("standard input: there is no Pod in it"));
  CHECK(shell.Run({"explain", "-f", "/no/file"}).code == 1);
}

TEST_CASE("korderctl: help, version and completion need no cluster", "[app]") {
  Shell shell;
  const Outcome help = shell.Run({"--help"});
  CHECK(help.code == 0);
  CHECK_THAT(help.out, Catch::Contains("3  check, preview: does not fit"));
  CHECK_THAT(shell.Run({"version"}).out, Catch::StartsWith("korderctl "));
  CHECK_THAT(shell.Run({"version", "-o", "yaml"}).out, Catch::StartsWith("version: "));
  CHECK_THAT(shell.Run({"completion", "zsh"}).out, Catch::StartsWith("#compdef korderctl\n"));
  CHECK(shell.Run({"__complete", "quota", "li"}).out == "list\n");
  shell.program = "kubectl_complete-korder";
  CHECK(shell.Run({"quota", "li"}).out == "list\n:0\n");
  shell.program = "kubectl-korder";
  CHECK_THAT(shell.Run({"--help"}).out, Catch::Contains("Usage: kubectl korder "));
}

}  // namespace
}  // namespace korder::cli
