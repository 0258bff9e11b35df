// What quota-svc is told.
#pragma once

#include <string>

#include "runtime/config.h"

namespace korder::quota {

struct Config {
  runtime::CommonConfig common;
  std::string ledger = "korder-quota-ledger";  // the ConfigMap
  // How long a reservation waits for its Ticket; a number of seconds.
  int grant_ttl_seconds = 60;
};

}  // namespace korder::quota
