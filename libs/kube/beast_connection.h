// One HTTP/1.1 connection to the API server, plain or over TLS; private to the transport. The only
// part of libs/kube that knows Boost, and it keeps it in its .cc.
//
//   Connection connection(tls);
//   RETURN_IF_ERROR(connection.Connect(config, limits));
//   RETURN_IF_ERROR(connection.Send(request, limits));
//   RETURN_IF_ERROR(connection.ReadHead(max_body, limits));
//   ASSIGN_OR_RETURN(std::string body, connection.ReadBody(limits));
//   if (connection.reusable()) { ... }   // the next Send
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/mono_time.h"
#include "base/status.h"
#include "kube/cluster_config.h"
#include "kube/tls_context.h"

namespace korder::kube {

// Until when an operation may take, and what may end it earlier.
struct Limits {
  MonoTime deadline;
  std::stop_token stop;
};

// Errors are DEADLINE_EXCEEDED, CANCELLED, or UNAVAILABLE for everything that is wrong with the
// connection; after one the connection is of no use. Not thread-safe, but a stop may be requested
// from any thread.
class Connection {
 public:
  // `tls` is null for plain HTTP.
  explicit Connection(SSL_CTX* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Resolves, connects, and shakes hands. Resolving a name (not an address) takes as long as the
  // system's resolver does: it cannot be interrupted.
  absl::Status Connect(const ClusterConfig& config, const Limits& limits);

  // Begins an exchange. REQUIRES: the connection is new or reusable().
  absl::Status Send(std::string_view request, const Limits& limits);
  // Reads until the end of the header. Without `max_body` the body may be endless.
  absl::Status ReadHead(std::optional<size_t> max_body, const Limits& limits);
  int status() const;
  absl::Duration retry_after() const;
  // The rest of the body.
  absl::StatusOr<std::string> ReadBody(const Limits& limits);
  // What has arrived of the body; waits for it; empty at the orderly end.
  absl::StatusOr<std::string> ReadPiece(const Limits& limits);

  // Of the exchange that failed: did the network take any of the request, did any answer come?
  bool sent_anything() const;
  bool received_anything() const;

  // True after a whole exchange, unless somebody wants to close.
  bool reusable() const;
  // True when an idle connection can take no more requests: the server has closed it.
  bool IsStale() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::kube
