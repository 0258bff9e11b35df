// Waits for some time to pass, or for a stop request.
//
//   while (Pause(absl::Seconds(1), stop)) { ... }   // every second until stop
//
// By the real steady clock; code whose waiting is to be tested takes a Clock instead. Thread-safe.
#pragma once

#include <stop_token>

#include "absl/time/time.h"

namespace korder {

// False when stop was requested, before or meanwhile.
bool Pause(absl::Duration duration, std::stop_token stop);

}  // namespace korder
