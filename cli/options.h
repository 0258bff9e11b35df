// What the flags before and after every command say.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/style.h"

namespace korder::cli {

struct GlobalOptions {
  std::string kubeconfig;
  std::string context;
  std::string ns;
  std::string server;           // host:port of quota-svc; empty = look for it
  std::string token;            // empty = the kubeconfig's, or a requested one
  std::string ca_file;          // empty = the ConfigMap korder-ca
  std::string service_account;  // NS/NAME or NAME to request a token for
  std::string system_namespace = "korder-system";
  absl::Duration timeout = absl::Seconds(10);
  Style style;
  bool stdin_taken = false;  // by `-f -`: a credential plug-in cannot ask there
};

}  // namespace korder::cli
