#include "base/random.h"

#include <random>

#include "base/host.h"

namespace korder {

uint32_t RandomWord() {
  if (Host* host = SimulatedHost()) {
    return host->Random();
  }
  thread_local std::random_device device;
  return device();
}

}  // namespace korder
