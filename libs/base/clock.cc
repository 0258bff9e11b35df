#include "base/clock.h"

#include "absl/time/clock.h"

namespace korder {

absl::Time SystemClock::Now() const { return absl::Now(); }

MonoTime SystemClock::Mono() const { return std::chrono::steady_clock::now(); }

}  // namespace korder
