// What went wrong between us and a service of korder, and what to do about it. Pure.
//
//   return Explain(status, {.where = "10.96.10.1:9090", .system_namespace = "korder-system"});
#pragma once

#include <string>

#include "base/status.h"

namespace korder::cli {

struct Asked {
  std::string where;
  std::string system_namespace;
  std::string service = "quota-svc";
  // What somebody must be allowed to do who is refused.
  std::string permission = "get quotas.core.korder.dev";
};

// An error of a call to the service, with the same code. OK passes through.
absl::Status Explain(const absl::Status& status, const Asked& asked);

// True when asking again soon may help: nobody leads at the moment, or a replica is starting. False
// for what stays as it is: a certificate that is not trusted.
bool MayPass(const absl::Status& status);

}  // namespace korder::cli
