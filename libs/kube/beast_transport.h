// The HttpTransport that talks to a real API server: HTTP/1.1 over TLS with keep-alive connections,
// deadlines and cancellation.
//
//   ASSIGN_OR_RETURN(const ClusterConfig cluster, LoadClusterConfig(flag));
//   const std::unique_ptr<HttpTransport> transport =
//       NewBeastTransport(cluster, {.user_agent = "korder-order-svc/0.1.0"});
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "kube/cluster_config.h"
#include "kube/transport.h"

namespace korder::kube {

struct BeastTransportOptions {
  std::string user_agent = "korder";
  // Idle connections kept for later requests; more are opened when needed, one a request under way.
  size_t max_idle = 64;
  // Shorter than the API server's own limit (90 s), so that it is us who close.
  absl::Duration idle_timeout = absl::Seconds(60);
  // A larger body of an answer (not of a stream) is an error.
  size_t max_body = 512 << 20;
};

// Thread-safe. Takes an idle connection when there is one that the server has not closed. When such
// a connection breaks before anything of an answer came, the request is sent once more on a fresh
// one if that cannot perform it twice: it is a GET, or the network took nothing of it. Any other
// request ends with UNAVAILABLE, and the caller finds out whether it was performed.
//
// Calls block: a stop request or the deadline ends them, except while the system's resolver looks
// up a host name. A stream stays usable after the transport is gone. Certificates are loaded once;
// when the config has unusable ones, every call answers INVALID_ARGUMENT. Tokens go out over TLS
// only; one in a file is read again as it is rotated.
std::unique_ptr<HttpTransport> NewBeastTransport(ClusterConfig config,
                                                 BeastTransportOptions options = {});

}  // namespace korder::kube
