// Where the API server is and how to prove who we are.
//
//   ASSIGN_OR_RETURN(const ClusterConfig config, LoadClusterConfig(flag_kubeconfig));
//
// Sources, first hit wins: the path given; $KUBECONFIG (several files are merged, the first to name
// something wins); the ServiceAccount of the pod we run in; ~/.kube/config.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace korder::kube {

struct ClusterConfig {
  std::string host;
  std::string port;
  std::string path_prefix;  // before every request path; usually empty
  bool tls = true;
  std::string tls_server_name;  // checked in the certificate instead of host, when not empty
  bool insecure_skip_tls_verify = false;
  std::string ca;           // PEM; empty = the system's
  std::string certificate;  // PEM, of the client; empty = none
  std::string key;          // PEM
  std::string token;        // bearer; empty = none
  std::string token_file;   // read again and again, because it is rotated
};

// INVALID_ARGUMENT names the file and the field; NOT_FOUND when there is no source at all.
absl::StatusOr<ClusterConfig> LoadClusterConfig(const std::string& path);

// Splits "https://host:port/prefix" into the config.
absl::Status ParseServerUrl(std::string_view url, ClusterConfig& config);

}  // namespace korder::kube
