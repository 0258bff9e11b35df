// A small HTTP/1.1 server: health, metrics, and (with TLS) admission webhooks.
//
//   HttpServer server({.listen = "0.0.0.0:8080"}, [](const HttpServerRequest& r) { return ...; });
//   absl::Status s = server.Start();   // binds; port() tells the port when 0 was asked for
//   return server.Run(stop);
//
// Handlers run on the server's threads, several at a time. Bodies, connections and waits are
// bounded: more than max_concurrent requests are refused with 429 at once, a body over max_body
// with 413, and a handler that takes longer than request_timeout is answered for with 503. TLS
// is 1.2 or newer; clients are not asked for certificates.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/status.h"
#include "runtime/tls.h"

namespace korder::runtime {

struct HttpServerRequest {
  std::string method;
  std::string target;  // path and query
  std::string body;
};

struct HttpServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using HttpHandler = std::function<HttpServerResponse(const HttpServerRequest&)>;

struct HttpServerOptions {
  std::string listen;    // "host:port"
  TlsMaterial tls = {};  // empty = plain HTTP
  size_t max_body = 7 << 20;
  int threads = 4;
  int max_concurrent = 256;
  int max_connections = 1024;
  size_t max_header = 16 << 10;
  absl::Duration idle_timeout = absl::Seconds(60);
  absl::Duration request_timeout = absl::Seconds(10);
};

class HttpServer {
 public:
  HttpServer(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();

  // Binds and listens. UNAVAILABLE with the address when it is taken.
  absl::Status Start();
  // REQUIRES: Start succeeded.
  int port() const;
  // Serves until stop; then finishes requests under way (up to their timeout).
  absl::Status Run(std::stop_token stop);
  // New connections use the new certificates; open ones go on. Unusable material is logged and the
  // old one stays. Thread-safe. REQUIRES: options.tls was not empty.
  void SetTls(const TlsMaterial& tls);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
