// What every service is told on its command line, by environment (KORDER_...) or in a config file.
//
//   struct Config { runtime::CommonConfig common; std::string quota_address; };
#pragma once

#include <string>
#include <vector>

#include "base/log.h"

namespace korder::runtime {

struct CommonConfig {
  // Name of the service, "order-svc"; set by its main, not by a flag.
  std::string service;
  // Empty: $KUBECONFIG, then in-cluster, then ~/.kube/config.
  std::string kubeconfig;
  // Where korder itself lives: leases, TLS Secrets, the ledger.
  std::string ns = "korder-system";
  // Unique for this process; the default is the host name and a random suffix.
  std::string identity;
  // UID of the pod that this process is the only one of its service in. Empty: in none.
  std::string pod_uid;
  std::string grpc_listen = "127.0.0.1:9090";
  std::string http_listen = "127.0.0.1:8080";
  bool leader_elect = true;
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kText;

  // "korder-order-svc": the Lease, the Service, the ServiceAccount, the certificate's first name.
  std::string FullName() const { return "korder-" + service; }
  std::string TlsSecret() const { return FullName() + "-tls"; }
};

}  // namespace korder::runtime
