// Whether a service of korder answers at an address.
//
//   if (Dial({"10.96.10.1", 9090}, "korder-quota-svc", absl::Seconds(1))) { ... }
#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/endpoint.h"

namespace korder::cli {

// True when a server takes the connection and shows a certificate for the name, within the time.
// An address of a cluster may be another machine's where we are: on its own network, or behind a
// proxy that takes every connection. Whether the certificate is to be trusted is checked when the
// address is used. Resolves a name first, which takes as long as the system's resolver does.
// Thread-safe.
bool Dial(const Endpoint& endpoint, const std::string& name, absl::Duration timeout);

}  // namespace korder::cli
