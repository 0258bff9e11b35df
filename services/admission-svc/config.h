// What admission-svc is told.
#pragma once

#include <string>

#include "runtime/config.h"

namespace korder::admission {

struct Config {
  runtime::CommonConfig common;
  std::string webhook_listen = "127.0.0.1:9443";
  std::string quota_address = "127.0.0.1:9090";
  std::string ticket_address = "127.0.0.1:9090";
  // Who makes the certificates of the four services: self, or external (cert-manager).
  std::string certificates = "self";
};

}  // namespace korder::admission
