// Reads kubeconfig files: the ones kubectl uses.
//
//   ASSIGN_OR_RETURN(ClusterConfig cluster, ReadKubeconfig({"/home/me/.kube/config"}));
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "kube/cluster_config.h"

namespace korder::kube {

struct KubeconfigOptions {
  std::string context = {};  // instead of the current one
  // Accept a user's credential plug-in, as ClusterConfig::exec. A service has no place to run one.
  bool allow_exec = false;
};

// The cluster and user of the context. Several files count as one: the first to name a context, a
// cluster, a user or the current context wins. Files that do not exist are passed over; NOT_FOUND
// when none exists. Relative paths in a file start at its folder. INVALID_ARGUMENT names the file
// and the field; auth-provider plug-ins, passwords, impersonation, proxies and, unless they are
// allowed, exec plug-ins are refused, because ignoring them would make us somebody else.
absl::StatusOr<ClusterConfig> ReadKubeconfig(const std::vector<std::string>& paths,
                                             const KubeconfigOptions& options = {});

}  // namespace korder::kube
