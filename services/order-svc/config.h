// What order-svc is told.
#pragma once

#include <string>

#include "runtime/config.h"

namespace korder::order {

struct Config {
  runtime::CommonConfig common;
  std::string quota_address = "127.0.0.1:9090";
  int workers = 4;
};

}  // namespace korder::order
