// A point in time that never steps: what time-outs, back-off and leases are counted in. Apart from
// base/clock.h so that pure code can take one as an argument without knowing a clock.
#pragma once

#include <chrono>

namespace korder {

using MonoTime = std::chrono::steady_clock::time_point;

}  // namespace korder
