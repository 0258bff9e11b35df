// Whether a TCP connection to an address comes about.
//
//   if (Dial({"10.96.10.1", 9090}, absl::Seconds(1))) { ... }
#pragma once

#include "absl/time/time.h"
#include "cli/endpoint.h"

namespace korder::cli {

// Resolves a name first, which takes as long as the system's resolver does. Thread-safe.
bool Dial(const Endpoint& endpoint, absl::Duration timeout);

}  // namespace korder::cli
