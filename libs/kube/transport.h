// The one seam between korder and an API server: everything above it builds requests and reads
// answers, everything below it moves bytes. Tests and the simulation put an in-memory API server
// here.
//
//   absl::StatusOr<HttpResponse> response = transport.Do(request, {.timeout = absl::Seconds(5)});
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::kube {

struct HttpRequest {
  std::string method;        // "GET", "POST", "PATCH", "PUT", "DELETE"
  std::string target;        // path and query, percent-encoded
  std::string content_type;  // of the body; empty when there is none
  std::string body;
  bool operator==(const HttpRequest&) const = default;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  absl::Duration retry_after;  // ZeroDuration() when the server named none
};

struct CallOptions {
  // For the whole exchange; for a stream, until its headers are there.
  absl::Duration timeout = absl::Seconds(30);
  // A request ends with CANCELLED soon after stop is requested.
  std::stop_token stop;
};

// A response body read as it arrives. Not thread-safe. Destroying it closes the connection.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // The next bytes; empty at the orderly end of the body. DEADLINE_EXCEEDED when nothing came for
  // `idle` (a half-open connection), CANCELLED on stop, UNAVAILABLE when the connection broke.
  virtual absl::StatusOr<std::string> Read(absl::Duration idle) = 0;
};

struct StreamResponse {
  int status = 0;
  absl::Duration retry_after;
  std::string error_body;            // when status is not 2xx
  std::unique_ptr<ByteStream> body;  // when status is 2xx
};

// Thread-safe. A status that came from the server, 2xx or not, is an answer; an error means that
// there was no answer: UNAVAILABLE (refused, reset, DNS, TLS), DEADLINE_EXCEEDED, CANCELLED.
// After an error a write may or may not have happened.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual absl::StatusOr<HttpResponse> Do(const HttpRequest& request,
                                          const CallOptions& options) = 0;
  virtual absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                              const CallOptions& options) = 0;
};

}  // namespace korder::kube
