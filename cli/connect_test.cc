#include "cli/connect.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

#include "cli/testing_api.h"
#include "kube/testing/test_ca.h"

namespace korder::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kService[] = "GET /api/v1/namespaces/korder-system/services/korder-quota-svc";
constexpr char kSlices[] = "GET /apis/discovery.k8s.io/v1/namespaces/korder-system/endpointslices";
constexpr char kCa[] = "GET /api/v1/namespaces/korder-system/configmaps/korder-ca";
constexpr char kToken[] =
    "POST /api/v1/namespaces/korder-system/serviceaccounts/korder-quota-cli/token";

// A cluster with korder in it, seen from a machine with a kubeconfig.
class Fixture {
 public:
  Fixture() {
    std::string name = (fs::temp_directory_path() / "korder-connect-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Write("config",
          "current-context: main\n"
          "contexts: [{name: main, context: {cluster: c, user: u, namespace: mine}}]\n"
          "clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'}}]\n"
          "users: [{name: u, user: {}}]\n");
    answers[kService] = {.status = 200,
                         .body = R"({"spec":{"clusterIP":"10.96.0.9",)"
                                 R"("ports":[{"name":"grpc","port":9090}]}})"};
    answers[kSlices] = {.status = 200,
                        .body = R"({"items":[{"ports":[{"name":"grpc","port":9090}],"endpoints":[
                            {"addresses":["10.1.0.1"],"targetRef":{"kind":"Pod","name":"q-1"}},
                            {"addresses":["10.1.0.2"],"targetRef":{"kind":"Pod","name":"q-2"}}]}]})"};
    answers[kCa] = {.status = 200, .body = R"({"data":{"ca.crt":"pem"}})"};
    answers[kToken] = {.status = 201, .body = R"({"status":{"token":"requested"}})"};
  }
  ~Fixture() { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    fs::permissions(folder_ / name, fs::perms::owner_all);
    return (folder_ / name).string();
  }

  Connector Make(GlobalOptions options = {}) {
    return Connector(std::move(options), {.cluster = {.kubeconfig = (folder_ / "config").string()},
                                          .korder_server = korder_server,
                                          .kubectl = kubectl,
                                          .dial =
                                              [this](const Endpoint& endpoint,
                                                     const std::string& name, absl::Duration) {
                                                CHECK(name == "korder-quota-svc");
                                                return reachable.contains(endpoint.ToString());
                                              },
                                          .new_transport =
                                              [this](const kube::ClusterConfig& config) {
                                                seen = config;
                                                return std::make_unique<Answers>(answers);
                                              }});
  }
  std::string Problem(GlobalOptions options = {}) {
    const absl::StatusOr<Connection> connection = Make(std::move(options)).Connect();
    REQUIRE_FALSE(connection.ok());
    code = connection.status().code();
    return std::string(Message(connection.status()));
  }

  Answers::ByRequest answers;
  std::set<std::string> reachable;
  std::string korder_server;
  std::string kubectl = "korder-no-kubectl";
  kube::ClusterConfig seen;
  absl::StatusCode code = absl::StatusCode::kOk;

 private:
  fs::path folder_;
};

TEST_CASE("connect: every replica that can be reached is used, to find the one that leads",
          "[connect]") {
  Fixture f;
  f.reachable = {"10.1.0.1:9090", "10.1.0.2:9090", "10.96.0.9:9090"};
  Connector connector = f.Make();
  const auto connection = connector.Connect();
  INFO(ToString(connection.status()));
  REQUIRE(connection.ok());
  CHECK(connection->where == "10.1.0.1:9090, 10.1.0.2:9090");
  CHECK(connection->token == "requested");
  CHECK(connection->forwards.empty());
  CHECK(connector.DefaultNamespace() == "mine");
}

TEST_CASE("connect: without a way to the replicas, the Service's own address", "[connect]") {
  Fixture f;
  f.reachable = {"10.96.0.9:9090"};
  CHECK(f.Make().Connect()->where == "10.96.0.9:9090");
  // Also for those who may not see the replicas; a headless Service has a name in the cluster.
  f.answers[kSlices] = {.status = 403};
  CHECK(f.Make().Connect()->where == "10.96.0.9:9090");
  f.answers[kService].body = R"({"spec":{"clusterIP":"None"}})";
  f.reachable = {"korder-quota-svc.korder-system.svc:9090"};
  CHECK(f.Make().Connect()->where == "korder-quota-svc.korder-system.svc:9090");
}

TEST_CASE("connect: a server that was named is not looked for", "[connect]") {
  Fixture f;
  f.answers.erase(kService);
  CHECK(f.Make({.server = "quota.example.com:443"}).Connect()->where == "quota.example.com:443");
  f.korder_server = "10.0.0.7";
  CHECK(f.Make().Connect()->where == "10.0.0.7:9090");
  CHECK(f.Make({.server = "flag"}).Connect()->where == "flag:9090");
  f.korder_server = "http://x";
  CHECK_THAT(f.Problem(), Catch::StartsWith("KORDER_SERVER: "));
}

TEST_CASE("connect: with server, token and CA given no cluster is needed", "[connect]") {
  Fixture f;
  fs::remove(f.Write("config", ""));
  const std::string ca = f.Write("ca.pem", kube::TestCa().pem());
  const auto connection = f.Make({.server = "h:1", .token = "mine", .ca_file = ca}).Connect();
  INFO(ToString(connection.status()));
  REQUIRE(connection.ok());
  CHECK(connection->token == "mine");
  CHECK_THAT(f.Problem({.server = "h:1", .token = "mine"}),
             Catch::Contains("no access to a cluster") && Catch::Contains("--ca-file"));
  CHECK(f.code == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("connect: where nothing can be reached, a port is forwarded to every pod", "[connect]") {
  Fixture f;
  f.kubectl = f.Write("kubectl",
                      "#!/bin/sh\n"
                      "echo \"$@\" >> $(dirname $0)/calls\n"
                      "case \"$*\" in *pod/q-1*) echo pods q-1 not found >&2; exit 1;; esac\n"
                      "echo 'Forwarding from 127.0.0.1:43210 -> 9090'\n"
                      "exec sleep 100\n");
  auto connection = f.Make({.kubeconfig = f.Write("copy", ""), .context = ""}).Connect();
  CHECK_FALSE(connection.ok());  // the flag is obeyed: that kubeconfig is empty

  connection = f.Make({.context = "main"}).Connect();
  INFO(ToString(connection.status()));
  REQUIRE(connection.ok());
  CHECK(connection->where == "127.0.0.1:43210");  // one pod that is not there is no obstacle
  REQUIRE(connection->forwards.size() == 1);
  CHECK(connection->forwards[0].child->running());
  std::ifstream calls(fs::path(f.kubectl).parent_path() / "calls");
  const std::string text(std::istreambuf_iterator<char>(calls), {});
  CHECK(
      text ==
      "--context=main --namespace=korder-system port-forward --address=127.0.0.1 pod/q-1 :9090\n"
      "--context=main --namespace=korder-system port-forward --address=127.0.0.1 pod/q-2 :9090\n");
}

TEST_CASE("connect: a port-forward that fails says why, and what to do", "[connect]") {
  Fixture f;
  CHECK_THAT(f.Problem(), Catch::Contains("kubectl is not installed") &&
                              Catch::Contains("kubectl -n korder-system get pods"));
  CHECK(f.code == absl::StatusCode::kUnavailable);
  f.kubectl = f.Write("kubectl", "#!/bin/sh\necho forbidden >&2; exit 1\n");
  CHECK_THAT(f.Problem(), Catch::Contains("kubectl port-forward pod/q-1: forbidden;"));
  f.kubectl = f.Write("kubectl", "#!/bin/sh\nexec sleep 100\n");
  CHECK_THAT(f.Problem({.timeout = absl::Milliseconds(50)}),
             Catch::Contains("gave no output in time"));
  f.answers[kSlices].body = "{}";
  CHECK_THAT(f.Problem(),
             Catch::Contains("nothing answers at 10.96.0.9:9090, and no pod is behind"));
}

TEST_CASE("connect: what is missing in the cluster is named, with the way around it", "[connect]") {
  struct Case {
    const char* name;
    const char* request;
    int status;
    const char* want;
    absl::StatusCode code;
  };
  const Case cases[] = {
      {"not installed", kService, 404, "is korder installed", absl::StatusCode::kUnavailable},
      {"no access to it", kService, 403, "--server", absl::StatusCode::kPermissionDenied},
      {"no credentials", kService, 401, "does not accept your credentials",
       absl::StatusCode::kUnauthenticated},
      {"API server down", kService, 503, "the API server at 10.0.0.1:6443 does not answer",
       absl::StatusCode::kUnavailable},
      {"replicas", kSlices, 503, "does not answer", absl::StatusCode::kUnavailable},
      {"no CA", kCa, 404, "admission-svc", absl::StatusCode::kUnavailable},
      {"CA not for us", kCa, 403, "--ca-file", absl::StatusCode::kPermissionDenied},
      {"no account", kToken, 404, "--service-account", absl::StatusCode::kFailedPrecondition},
      {"account not for us", kToken, 403, "--token", absl::StatusCode::kPermissionDenied},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Fixture f;
      f.reachable = {"10.96.0.9:9090"};
      f.answers[c.request] = {.status = c.status};
      CHECK_THAT(f.Problem(), Catch::Contains(c.want));
      CHECK(f.code == c.code);
    }
  }
  Fixture f;
  f.reachable = {"10.96.0.9:9090"};
  f.answers[kCa].body = "{}";
  CHECK_THAT(f.Problem(), Catch::Contains("ca.crt: is missing"));
}

TEST_CASE("connect: the kubeconfig's own tokens are shown to korder", "[connect]") {
  Fixture f;
  f.reachable = {"10.96.0.9:9090"};
  f.answers.erase(kToken);
  const auto token_of = [&](const std::string& user) {
    f.Write(
        "config",
        "current-context: main\ncontexts: [{name: main, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://10.0.0.1'}}]\nusers: [{name: u, user: " +
            user + "}]\n");
    const auto connection = f.Make().Connect();
    INFO(ToString(connection.status()));
    REQUIRE(connection.ok());
    return connection->token;
  };
  CHECK(token_of("{token: plain}") == "plain");
  CHECK(token_of("{tokenFile: '" + f.Write("token", " from-file\n") + "'}") == "from-file");
  const std::string plugin =
      f.Write("login",
              "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
              "\"ExecCredential\",\"status\":{\"token\":\"from-plugin\"}}'\n");
  CHECK(token_of("{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
                 "command: '" +
                 plugin + "'}}") == "from-plugin");
  CHECK(f.seen.token == "from-plugin");  // and to the API server
}

TEST_CASE("connect: a plug-in is asked once, and again when its answer is forgotten", "[connect]") {
  Fixture f;
  f.reachable = {"10.96.0.9:9090"};
  const std::string plugin =
      f.Write("login",
              "#!/bin/sh\necho x >> $0.count\n"
              "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
              "\"ExecCredential\",\"status\":{\"token\":\"'$(wc -l < $0.count)'\"}}'\n");
  f.Write(
      "config",
      "current-context: main\ncontexts: [{name: main, context: {cluster: c, user: u}}]\n"
      "clusters: [{name: c, cluster: {server: 'https://10.0.0.1'}}]\nusers: [{name: u, user: "
      "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: '" +
          plugin + "'}}}]\n");
  Connector connector = f.Make();
  CHECK(connector.Connect()->token == "1");
  CHECK(connector.Connect()->token == "1");
  connector.ForgetCredentials();
  CHECK(connector.Connect()->token == "2");
}

}  // namespace
}  // namespace korder::cli
