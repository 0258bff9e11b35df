#include "cli/connect.h"

#include <cstdlib>
#include <unistd.h>
#include <utility>

#include <grpcpp/client_context.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/core/config_map.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/status_macros.h"
#include "cli/credentials.h"
#include "cli/dial.h"
#include "kube/beast_transport.h"
#include "kube/exec_credential.h"
#include "kube/read_file.h"
#include "kube/tls_context.h"
#include "runtime/grpc_client.h"
#include "runtime/user_access.h"
#include "runtime/version.h"

namespace korder::cli {
namespace {

constexpr absl::Duration kDialTimeout = absl::Seconds(1);
constexpr size_t kDialsAtOnce = 8;

std::string Join(const std::vector<Endpoint>& endpoints) {
  return absl::StrJoin(endpoints, ", ", [](std::string* out, const Endpoint& endpoint) {
    *out += endpoint.ToString();
  });
}

}  // namespace

void Identify(grpc::ClientContext& context, const Connection& connection, const std::string& ns) {
  context.AddMetadata("authorization", "Bearer " + connection.token);
  if (!ns.empty()) {
    context.AddMetadata(runtime::kNamespaceMetadata, ns);
  }
}

Surroundings SurroundingsOfProcess() {
  const char* server = std::getenv("KORDER_SERVER");
  return {.cluster = kube::EnvironmentOfProcess(),
          .korder_server = server == nullptr ? "" : server,
          .terminal = isatty(STDIN_FILENO) == 1,
          .dial = &Dial,
          .new_transport = [](const kube::ClusterConfig& config) {
            return kube::NewBeastTransport(
                config,
                {.user_agent = absl::StrCat("korderctl/", std::string(runtime::Version()))});
          }};
}

std::vector<Endpoint> Reachable(const std::vector<Endpoint>& candidates,
                                const std::function<bool(const Endpoint&)>& answers) {
  std::vector<char> answered(candidates.size());  // not bool: written by several threads
  ParallelFor(candidates.size(), kDialsAtOnce,
              [&](size_t i) { answered[i] = answers(candidates[i]) ? 1 : 0; });
  std::vector<Endpoint> reachable;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (answered[i] != 0) {
      reachable.push_back(candidates[i]);
    }
  }
  return reachable;
}

Connector::Connector(GlobalOptions options, Surroundings surroundings, Peer peer)
    : options_(std::move(options)), surroundings_(std::move(surroundings)), peer_(peer) {}

Connector Connector::To(Peer peer) const {
  GlobalOptions options = options_;
  options.server.clear();
  Surroundings surroundings = surroundings_;
  surroundings.korder_server.clear();
  return {std::move(options), std::move(surroundings), peer};
}

absl::StatusOr<Connection> Connector::Connect() {
  Connection connection;
  ASSIGN_OR_RETURN(const std::vector<Endpoint> endpoints, Find(connection));
  ASSIGN_OR_RETURN(std::string ca, Authority());
  ASSIGN_OR_RETURN(connection.token, Token());
  connection.where = Join(endpoints);
  log::Debug("service found", {{"name", peer_.service},
                               {"at", connection.where},
                               {"forwards", static_cast<int>(connection.forwards.size())}});
  connection.channel = runtime::NewChannel({.address = GrpcTarget(endpoints),
                                            .peer = peer_.service,
                                            .tls = {.ca = std::move(ca)},
                                            .health_service = peer_.health_service});
  return connection;
}

void Connector::ForgetCredentials() { access_.reset(); }

absl::StatusOr<Connector::ClusterAccess*> Connector::Access() {
  if (access_) {
    return &*access_;
  }
  absl::StatusOr<kube::ClusterConfig> config = kube::LoadClusterConfig(
      {.path = options_.kubeconfig, .context = options_.context, .allow_exec = true},
      surroundings_.cluster);
  if (absl::IsNotFound(config.status())) {
    return FailedPreconditionError(
        absl::StrCat("no access to a cluster: ", std::string(Message(config.status())),
                     "; pass --kubeconfig, or all three of --server, --token and --ca-file"));
  }
  RETURN_IF_ERROR(config.status());
  RETURN_IF_ERROR(
      kube::RunExecPlugin(*config, {.terminal = surroundings_.terminal && !options_.stdin_taken}));
  ClusterAccess access{.config = *std::move(config)};
  access.transport = surroundings_.new_transport(access.config);
  access.client = std::make_unique<kube::Client>(*access.transport);
  log::Debug("cluster", {{"host", access.config.host}, {"port", access.config.port}});
  return &access_.emplace(std::move(access));
}

absl::StatusOr<kube::Client*> Connector::Api() {
  ASSIGN_OR_RETURN(ClusterAccess * access, Access());
  return access->client.get();
}

std::string Connector::DefaultNamespace() {
  const absl::StatusOr<ClusterAccess*> access = Access();
  return access.ok() ? (*access)->config.default_namespace : "";
}

absl::Status Connector::ApiProblem(const absl::Status& status) const {
  const std::string at =
      access_ ? absl::StrCat(access_->config.host, ":", access_->config.port) : "";
  const std::string detail(Message(status));
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return UnavailableError(absl::StrCat("the API server at ", at, " does not answer: ", detail,
                                           "; is --context the right one? try: kubectl version"));
    case absl::StatusCode::kUnauthenticated:
      return UnauthenticatedError(
          absl::StrCat("the API server at ", at, " does not accept your credentials: ", detail,
                       "; log in again, or check the user of your kubeconfig's context"));
    default:
      return status;
  }
}

absl::StatusOr<ServiceAddress> Connector::GetService(kube::Client& client) {
  const std::string name = absl::StrCat(options_.system_namespace, "/", peer_.service);
  absl::StatusOr<std::string> body =
      client.Raw({.method = "GET",
                  .target = absl::StrCat("/api/v1/namespaces/", options_.system_namespace,
                                         "/services/", peer_.service)},
                 {.timeout = options_.timeout});
  if (absl::IsNotFound(body.status())) {
    return UnavailableError(absl::StrCat("there is no Service ", name,
                                         ": is korder installed in this cluster? pass "
                                         "--system-namespace when it is installed elsewhere",
                                         OrServer(", or --server when you know where it listens")));
  }
  if (absl::IsPermissionDenied(body.status())) {
    return PermissionDeniedError(
        absl::StrCat("cannot look up Service ", name, ": ", std::string(Message(body.status())),
                     "; ask for `get services` there", OrServer(", or pass --server")));
  }
  if (!body.ok()) {
    return ApiProblem(body.status());
  }
  return ParseService(*std::move(body));
}

absl::StatusOr<std::optional<Replicas>> Connector::GetReplicas(kube::Client& client) {
  const absl::StatusOr<std::string> body = client.Raw(
      {.method = "GET",
       .target = absl::StrCat("/apis/discovery.k8s.io/v1/namespaces/", options_.system_namespace,
                              "/endpointslices?labelSelector=kubernetes.io%2F"
                              "service-name%3D",
                              peer_.service)},
      {.timeout = options_.timeout});
  if (absl::IsPermissionDenied(body.status())) {
    return std::nullopt;  // There are other ways.
  }
  if (!body.ok()) {
    return ApiProblem(body.status());
  }
  return ParseEndpointSlices(*body);
}

absl::StatusOr<std::vector<Endpoint>> Connector::Find(Connection& connection) {
  const std::string& server =
      options_.server.empty() ? surroundings_.korder_server : options_.server;
  if (!server.empty()) {
    absl::StatusOr<Endpoint> endpoint = ParseEndpoint(server);
    return endpoint.ok() ? absl::StatusOr<std::vector<Endpoint>>(std::vector{*endpoint})
                         : Annotate(endpoint.status(),
                                    options_.server.empty() ? "KORDER_SERVER" : "--server");
  }
  ASSIGN_OR_RETURN(kube::Client * client, Api());
  ASSIGN_OR_RETURN(const ServiceAddress service, GetService(*client));
  ASSIGN_OR_RETURN(const std::optional<Replicas> replicas, GetReplicas(*client));
  const auto answers = [this](const Endpoint& endpoint) {
    return surroundings_.dial(endpoint, peer_.service, kDialTimeout);
  };
  // Behind a cluster IP one replica answers, whether it leads or not: better ask them all.
  if (replicas) {
    auto reachable = Reachable(replicas->addresses, answers);
    if (!reachable.empty()) {
      return reachable;
    }
  }
  const Endpoint front = service.cluster_ip.value_or(
      Endpoint{absl::StrCat(peer_.service, ".", options_.system_namespace, ".svc"), service.port});
  if (!Reachable({front}, answers).empty()) {
    return std::vector{front};
  }
  if (!replicas) {
    return Forward({absl::StrCat("service/", peer_.service)}, service.port, connection);
  }
  if (replicas->pods.empty()) {
    return Unreachable(absl::StrCat("nothing answers at ", front.ToString(),
                                    ", and no pod is behind the Service ", peer_.service));
  }
  std::vector<std::string> targets;
  for (const std::string& pod : replicas->pods) {
    targets.push_back("pod/" + pod);
  }
  return Forward(targets, service.port, connection);
}

absl::Status Connector::Unreachable(std::string_view why) const {
  return UnavailableError(absl::StrCat(peer_.service, " cannot be reached: ", std::string(why),
                                       "; is korder running? try: kubectl -n ",
                                       options_.system_namespace, " get pods",
                                       OrServer(", or pass --server")));
}

std::string Connector::OrServer(std::string_view hint) const {
  return std::string_view(peer_.service) == kQuotaSvc.service ? std::string(hint) : "";
}

absl::StatusOr<std::vector<Endpoint>> Connector::Forward(const std::vector<std::string>& targets,
                                                         int port, Connection& connection) {
  std::vector<Endpoint> endpoints;
  absl::Status failure;
  for (const std::string& target : targets) {
    absl::StatusOr<PortForward> forward = StartPortForward({.kubectl = surroundings_.kubectl,
                                                            .kubeconfig = options_.kubeconfig,
                                                            .context = options_.context,
                                                            .ns = options_.system_namespace,
                                                            .target = target,
                                                            .port = port,
                                                            .timeout = options_.timeout});
    if (forward.ok()) {
      endpoints.push_back(forward->local);
      connection.forwards.push_back(*std::move(forward));
    } else {
      failure.Update(forward.status());
    }
  }
  // A replica that is not there is no obstacle.
  return endpoints.empty() ? absl::StatusOr<std::vector<Endpoint>>(Unreachable(Message(failure)))
                           : endpoints;
}

absl::StatusOr<std::string> Connector::Authority() {
  if (!options_.ca_file.empty()) {
    const absl::StatusOr<std::string> pem = kube::ReadFile(options_.ca_file);
    const absl::Status bad =
        pem.ok() ? kube::NewTlsContext({.host = peer_.service, .ca = *pem}).status() : pem.status();
    return bad.ok() ? pem
                    : InvalidArgumentError(absl::StrCat("--ca-file ", options_.ca_file, ": ",
                                                        std::string(Message(bad))));
  }
  ASSIGN_OR_RETURN(kube::Client * client, Api());
  const kube::ObjectKey key{options_.system_namespace, kCaConfigMap};
  absl::StatusOr<api::ConfigMap> map =
      client->Get<api::ConfigMap>(key, {.timeout = options_.timeout});
  if (absl::IsNotFound(map.status())) {
    return UnavailableError(
        absl::StrCat("there is no ConfigMap ", key.ToString(),
                     " with the CA of korder's certificates: is "
                     "admission-svc, which makes it, running? or pass --ca-file"));
  }
  if (absl::IsPermissionDenied(map.status())) {
    return Annotate(map.status(), "read the CA of korder's certificates (or pass --ca-file)");
  }
  if (!map.ok()) {
    return ApiProblem(map.status());
  }
  const auto ca = map->data.find("ca.crt");
  return ca != map->data.end() && !ca->second.empty()
             ? absl::StatusOr<std::string>(ca->second)
             : FailedPreconditionError(absl::StrCat("ConfigMap ", key.ToString(),
                                                    ": ca.crt: is missing; pass --ca-file"));
}

absl::StatusOr<std::string> Connector::Token() {
  kube::ClusterConfig cluster;
  if (options_.token.empty()) {
    ASSIGN_OR_RETURN(ClusterAccess * access, Access());
    cluster = access->config;
  }
  const TokenSource source = ChooseToken(options_, cluster);
  log::Debug("token chosen",
             {{"from", source.kind == TokenSource::Kind::kGiven ? "flag or kubeconfig"
                       : source.kind == TokenSource::Kind::kFile
                           ? source.file
                           : "serviceaccount " + source.account.ToString()}});
  switch (source.kind) {
    case TokenSource::Kind::kGiven:
      return source.token;
    case TokenSource::Kind::kFile: {
      absl::StatusOr<std::string> text = kube::ReadFile(source.file);
      return text.ok() ? absl::StatusOr<std::string>(std::string(absl::StripAsciiWhitespace(*text)))
                       : InvalidArgumentError(Message(text.status()));
    }
    case TokenSource::Kind::kRequest:
      break;
  }
  ASSIGN_OR_RETURN(kube::Client * client, Api());
  absl::StatusOr<std::string> token = RequestToken(*client, source.account, options_.timeout);
  return token.ok() ? token : ApiProblem(token.status());
}

}  // namespace korder::cli
