// The way to a service of korder: finds it, decides whom to trust and whom to be.
//
//   Connector connector(options, SurroundingsOfProcess());
//   ASSIGN_OR_RETURN(const Connection connection, connector.Connect());
//   pb::QuotaLedger::NewStub(connection.channel)->Query(...);   // with connection.token
//
// Where: --server; $KORDER_SERVER; the replicas and the cluster IP of the Service korder-quota-svc
// when they can be reached from here; else a port-forward to each of its pods. Among several
// replicas gRPC finds the one that leads by their health.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/status.h"
#include "cli/endpoint.h"
#include "cli/options.h"
#include "cli/port_forward.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/transport.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace korder::cli {

// A service of korder. The texts live as long as the program.
struct Peer {
  const char* service;         // of Kubernetes, and the name in the certificate
  const char* health_service;  // what the replica that answers reports as SERVING
};
inline constexpr Peer kQuotaSvc{"korder-quota-svc", "korder.quota.v1.QuotaLedger"};
inline constexpr Peer kAdmissionSvc{"korder-admission-svc", "korder.admission.v1.ClaimRouter"};
inline constexpr Peer kTicketSvc{"korder-ticket-svc", "korder.ticket.v1.TicketDesk"};
inline constexpr Peer kOrderSvc{"korder-order-svc", "korder.order.v1.OrderPlanner"};

inline constexpr char kCaConfigMap[] = "korder-ca";

struct Connection {
  std::shared_ptr<grpc::Channel> channel;  // as gRPC hands it out
  std::string token;
  std::string where;  // for messages: "10.96.10.1:9090"
  // They live as long as the connection is used.
  std::vector<PortForward> forwards;
};

// Puts into a call who asks, and about which namespace; an empty one means all, or none.
void Identify(grpc::ClientContext& context, const Connection& connection, const std::string& ns);

// What the process finds around it.
struct Surroundings {
  kube::ClusterEnvironment cluster;
  std::string korder_server;  // $KORDER_SERVER
  bool terminal = false;      // stdin is one
  std::string kubectl = "kubectl";
  // True when a service of that name answers there within the time.
  std::function<bool(const Endpoint&, const std::string& name, absl::Duration)> dial;
  std::function<std::unique_ptr<kube::HttpTransport>(const kube::ClusterConfig&)> new_transport;
};
Surroundings SurroundingsOfProcess();

// Not thread-safe. Errors say what to do next.
class Connector {
 public:
  Connector(GlobalOptions options, Surroundings surroundings, Peer peer = kQuotaSvc);

  // The way to another service, as the same user. --server names quota-svc, so it does not count.
  Connector To(Peer peer) const;

  absl::StatusOr<Connection> Connect();
  // The API server, as the user of the kubeconfig. Stays valid until ForgetCredentials.
  absl::StatusOr<kube::Client*> Api();
  // Of the kubeconfig's context; empty when there is none, or no kubeconfig.
  std::string DefaultNamespace();
  // The next call reads the kubeconfig again and asks its plug-in again.
  void ForgetCredentials();

 private:
  struct ClusterAccess {
    kube::ClusterConfig config;
    std::unique_ptr<kube::HttpTransport> transport;
    std::unique_ptr<kube::Client> client;
  };

  absl::StatusOr<ClusterAccess*> Access();
  absl::StatusOr<std::vector<Endpoint>> Find(Connection& connection);
  absl::StatusOr<ServiceAddress> GetService(kube::Client& client);
  // Nothing when we may not see them.
  absl::StatusOr<std::optional<Replicas>> GetReplicas(kube::Client& client);
  absl::StatusOr<std::vector<Endpoint>> Forward(const std::vector<std::string>& targets, int port,
                                                Connection& connection);
  absl::Status Unreachable(std::string_view why) const;
  // What else helps where the service is not found: --server names quota-svc only.
  std::string OrServer(std::string_view hint) const;
  absl::StatusOr<std::string> Authority();
  absl::StatusOr<std::string> Token();
  // An error of a call to the API server, with what to do about it.
  absl::Status ApiProblem(const absl::Status& status) const;

  const GlobalOptions options_;
  const Surroundings surroundings_;
  const Peer peer_;
  std::optional<ClusterAccess> access_;
};

// Those that answer, asked all at once.
std::vector<Endpoint> Reachable(const std::vector<Endpoint>& candidates,
                                const std::function<bool(const Endpoint&)>& answers);

}  // namespace korder::cli
