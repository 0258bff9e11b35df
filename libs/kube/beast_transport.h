// The HttpTransport that talks to a real API server: HTTP/1.1 over TLS, with a pool of keep-alive
// connections, deadlines, and cancellation.
//
//   const std::unique_ptr<HttpTransport> transport = NewBeastTransport(config, {.user_agent =
//   "..."});
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "kube/cluster_config.h"
#include "kube/transport.h"

namespace korder::kube {

struct BeastTransportOptions {
  std::string user_agent = "korder";
  // Idle connections kept for later requests; more are opened when needed.
  size_t max_idle = 64;
  // Shorter than the API server's own limit, so that it is us who close.
  absl::Duration idle_timeout = absl::Seconds(30);
};

// Thread-safe. A request goes out on a kept connection only while the server has not closed it.
// When such a connection breaks before an answer, a GET is sent once more on a fresh one; a write
// is not, because the server may have performed it: the caller gets UNAVAILABLE.
std::unique_ptr<HttpTransport> NewBeastTransport(ClusterConfig config,
                                                 BeastTransportOptions options = {});

}  // namespace korder::kube
