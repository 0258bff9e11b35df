// `kubectl port-forward` as a child of ours: the way to korder from outside the cluster's network.
//
//   ASSIGN_OR_RETURN(PortForward forward, StartPortForward({.target = "pod/korder-quota-svc-1"}));
//   forward.local   // 127.0.0.1:43210, as long as forward.child lives
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"
#include "cli/endpoint.h"
#include "kube/child_process.h"

namespace korder::cli {

struct PortForwardOptions {
  std::string kubectl = "kubectl";
  std::string kubeconfig = {};  // empty = kubectl's own choice, which is ours, too
  std::string context = {};
  std::string ns = {};
  std::string target = {};  // "pod/NAME", "service/NAME"
  int port = kDefaultPort;
  absl::Duration timeout = absl::Seconds(10);
};

struct PortForward {
  std::unique_ptr<kube::ChildProcess> child;
  Endpoint local;
};

// UNAVAILABLE says why kubectl could not, or that it is missing.
absl::StatusOr<PortForward> StartPortForward(const PortForwardOptions& options);

// The port in "Forwarding from 127.0.0.1:43210 -> 9090", once that line is complete. Pure.
std::optional<int> ForwardedPort(std::string_view output);

}  // namespace korder::cli
