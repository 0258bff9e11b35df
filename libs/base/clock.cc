#include "base/clock.h"

#include "absl/time/clock.h"
#include "base/host.h"

namespace korder {

absl::Time SystemClock::Now() const { return absl::Now(); }

MonoTime SteadyNow() {
  Host* const host = SimulatedHost();
  return host != nullptr ? host->Mono() : std::chrono::steady_clock::now();
}

MonoTime SystemClock::Mono() const { return SteadyNow(); }

}  // namespace korder
