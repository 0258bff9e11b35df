// Where the API server is and how to prove who we are.
//
//   ASSIGN_OR_RETURN(const ClusterConfig cluster, LoadClusterConfig(flag_kubeconfig));
//
// Sources, the first that there is wins: the path given; $KUBECONFIG; the ServiceAccount of the pod
// we run in; ~/.kube/config.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace korder::kube {

// A credential plug-in: a program that prints who we are (client.authentication.k8s.io).
// kube/exec_credential.h runs it.
struct ExecPlugin {
  enum class Interactive { kNever, kIfAvailable, kAlways };

  std::string api_version;
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  Interactive interactive = Interactive::kIfAvailable;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string cluster_extension;  // JSON: what the plug-in is to know of the cluster; may be empty

  bool operator==(const ExecPlugin&) const = default;
};

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
  // Only when it was allowed, and there is no token: run it before the config is used.
  std::optional<ExecPlugin> exec;
  std::string default_namespace;  // of the context; empty = none

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

// What a tool for people needs beyond what a service does.
struct ClusterConfigOptions {
  std::string path = {};     // as above
  std::string context = {};  // instead of the current one; only kubeconfigs are looked at then
  bool allow_exec = false;   // accept a credential plug-in, as ClusterConfig::exec
};
absl::StatusOr<ClusterConfig> LoadClusterConfig(const ClusterConfigOptions& options,
                                                const ClusterEnvironment& env);

// INVALID_ARGUMENT when certificate, key or authority cannot be used, or credentials would go out
// in the open. LoadClusterConfig has checked that; for credentials that came later.
absl::Status CheckClusterConfig(const ClusterConfig& config);

// Splits "https://host:port/prefix" into the config.
absl::Status ParseServerUrl(std::string_view url, ClusterConfig& config);

}  // namespace korder::kube
