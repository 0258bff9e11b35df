// Where the API server is and how to prove who we are.
//
//   ASSIGN_OR_RETURN(const ClusterConfig cluster, LoadClusterConfig(flag_kubeconfig));
//
// Sources, the first that there is wins: the path given; $KUBECONFIG; the ServiceAccount of the pod
// we run in; ~/.kube/config.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace korder::kube {

struct ClusterConfig {
  std::string host;  // a name or an address
  std::string port;
  std::string path_prefix;  // before every request path; usually empty
  bool tls = true;
  std::string tls_server_name;  // checked in the certificate instead of host, when not empty
  bool insecure_skip_tls_verify = false;
  std::string ca;           // PEM; empty = the system's
  std::string certificate;  // PEM, of the client; empty = none
  std::string key;          // PEM
  std::string token;        // bearer; empty = none
  std::string token_file;   // wins over token; read again and again, because it is rotated

  bool operator==(const ClusterConfig&) const = default;
};

// What the process finds around it.
struct ClusterEnvironment {
  std::string kubeconfig;  // $KUBECONFIG: paths separated by ':'
  std::string home;
  std::string service_host;  // $KUBERNETES_SERVICE_HOST
  std::string service_port;
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};
ClusterEnvironment EnvironmentOfProcess();

// NOT_FOUND when there is no source; INVALID_ARGUMENT names the file and what is wrong in it:
// also certificates and keys that cannot be used.
absl::StatusOr<ClusterConfig> LoadClusterConfig(
    std::string_view path = "", const ClusterEnvironment& env = EnvironmentOfProcess());

// Splits "https://host:port/prefix" into the config.
absl::Status ParseServerUrl(std::string_view url, ClusterConfig& config);

}  // namespace korder::kube
