// Which bearer token proves to quota-svc who asks. Pure but for the API client it is given.
//
//   const TokenSource source = ChooseToken(options, cluster);
//   ASSIGN_OR_RETURN(std::string token, RequestToken(client, source.account, timeout));
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/status.h"
#include "cli/options.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/object_key.h"

namespace korder::cli {

// The ServiceAccount that the chart makes for people whose kubeconfig has no token.
inline constexpr char kCliAccount[] = "korder-quota-cli";

struct TokenSource {
  enum class Kind { kGiven, kFile, kRequest };

  Kind kind = Kind::kGiven;
  std::string token = {};        // kGiven
  std::string file = {};         // kFile
  kube::ObjectKey account = {};  // kRequest: the ServiceAccount

  bool operator==(const TokenSource&) const = default;
};

// --token, else --service-account, else the kubeconfig's token, else that of korder-quota-cli.
// REQUIRES: the config's plug-in, if there is one, was run.
TokenSource ChooseToken(const GlobalOptions& options, const kube::ClusterConfig& cluster);

// A token for ten minutes.
absl::StatusOr<std::string> RequestToken(kube::Client& client, const kube::ObjectKey& account,
                                         absl::Duration timeout);

}  // namespace korder::cli
