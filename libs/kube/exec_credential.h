// Runs the credential plug-in of a kubeconfig user, as kubectl does: `aws eks get-token`,
// `gke-gcloud-auth-plugin`, `kubelogin`...
//
//   ASSIGN_OR_RETURN(ClusterConfig cluster, LoadClusterConfig({.allow_exec = true}, env));
//   RETURN_IF_ERROR(RunExecPlugin(cluster, {.terminal = isatty(0) == 1}));
//   // cluster.token, or cluster.certificate and cluster.key, are filled in
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"
#include "kube/cluster_config.h"

namespace korder::kube {

// What the plug-in answered.
struct ExecCredential {
  std::string token;
  std::string certificate;  // PEM
  std::string key;          // PEM
  std::optional<absl::Time> expires;

  bool operator==(const ExecCredential&) const = default;
};

struct ExecOptions {
  // stdin is a terminal that nobody else reads: the plug-in may ask the user.
  bool terminal = false;
  // People log in meanwhile, in a browser perhaps.
  absl::Duration timeout = absl::Minutes(10);
};

// What the plug-in is told in $KUBERNETES_EXEC_INFO. REQUIRES: config.exec. Pure.
std::string ExecInfo(const ClusterConfig& config, bool interactive);

// INVALID_ARGUMENT says what is wrong with the answer. Pure.
absl::StatusOr<ExecCredential> ParseExecCredential(std::string json, std::string_view api_version);

// Fills the plug-in's answer into the config and takes the plug-in out of it; nothing happens
// without one. What the plug-in writes to stderr goes to ours. UNAUTHENTICATED when it failed or is
// not installed, with its install hint.
absl::Status RunExecPlugin(ClusterConfig& config, const ExecOptions& options);

}  // namespace korder::kube
