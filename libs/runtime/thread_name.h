// Names the calling thread for debuggers, top and core dumps. At most 15 characters are kept.
#pragma once

#include <pthread.h>
#include <string>
#include <string_view>

#include "base/host.h"

namespace korder::runtime {

inline void SetThreadName(std::string_view name) {
  if (SimulatedHost() != nullptr) {
    return;  // It is one of many in a thread that is not ours to name.
  }
  pthread_setname_np(pthread_self(), std::string(name.substr(0, 15)).c_str());
}

}  // namespace korder::runtime
