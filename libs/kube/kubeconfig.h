// Reads kubeconfig files: the ones kubectl uses.
//
//   ASSIGN_OR_RETURN(ClusterConfig cluster, ReadKubeconfig({"/home/me/.kube/config"}));
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "kube/cluster_config.h"

namespace korder::kube {

// The cluster and user of the current context. Several files count as one: the first to name a
// context, a cluster, a user or the current context wins. Files that do not exist are passed over;
// NOT_FOUND when none exists. Relative paths in a file start at its folder. INVALID_ARGUMENT names
// the file and the field; exec and auth-provider plug-ins, passwords, impersonation and proxies are
// refused, because ignoring them would make us somebody else.
absl::StatusOr<ClusterConfig> ReadKubeconfig(const std::vector<std::string>& paths);

}  // namespace korder::kube
