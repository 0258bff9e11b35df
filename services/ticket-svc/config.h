// What ticket-svc is told.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "runtime/config.h"

namespace korder::ticket {

struct Config {
  runtime::CommonConfig common;
  std::string quota_address = "127.0.0.1:9090";
  std::string guardian_image = "registry.k8s.io/pause:3.10";
  // Names of Secrets for a private registry, in the namespace of each guardian.
  std::vector<std::string> guardian_pull_secrets;
  // Of guardians whose ticket names none.
  std::string guardian_priority_class = "korder-guardian";
  // How long a pod waits for a ticket when it does not say so itself; a Go duration.
  std::string claim_timeout = "30s";
  // How long a guardian counts on a node that is not Ready; a Go duration.
  std::string node_grace = "1m";
  // See handoff_method.h and handoff_options.h.
  std::string handoff_method = "nominate";
  std::string handoff_fence = "auto";
  int workers = 8;
};

}  // namespace korder::ticket
