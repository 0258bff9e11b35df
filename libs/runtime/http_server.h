// A small HTTP/1.1 server: health, metrics, and (with TLS) admission webhooks.
//
//   HttpServer server({.listen = "0.0.0.0:8080"}, [](const HttpServerRequest& r) { return ...; });
//   absl::Status s = server.Start();   // binds; port() tells the port when 0 was asked for
//   return server.Run(stop);
//
// Handlers run on the server's threads, several at a time. Bodies, connections and waits are
// bounded: more than max_concurrent requests are refused with 429 at once, on a connection that
// stays (a client under load must not have to shake hands again); a body over max_body with 413;
// and a handler that takes longer than request_timeout is answered for with 503. Of more than
// max_connections the oldest that never sent a request ends; where all did, the new one. Who is
// slow to send or to read loses its connection after request_timeout, and takes nobody's place
// until its request is complete. TLS is 1.2 or newer; clients are not asked for certificates.
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
  // Of all bodies larger than small_body together; what is over it is refused with 429.
  size_t max_bodies = 64 << 20;
  size_t small_body = 64 << 10;
  int threads = 4;
  int max_concurrent = 256;
  int max_connections = 1024;
  size_t max_header = 16 << 10;
  absl::Duration idle_timeout = absl::Seconds(60);
  absl::Duration request_timeout = absl::Seconds(10);
  // For so long after stop, requests are served on, each with the answer's word that its connection
  // ends: a client that sends on a connection just as it is closed would see its request fail.
  absl::Duration farewell = absl::ZeroDuration();
};

class HttpServer {
 public:
  HttpServer(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();

  // Binds and listens. UNAVAILABLE with the address when it is taken.
  absl::Status Start();
  // REQUIRES: Start succeeded.
  int port() const;
  // Serves until stop; then takes leave (see farewell) and finishes requests under way (up to their
  // timeout).
  absl::Status Run(std::stop_token stop);
  // New connections use the new certificates; open ones go on. Unusable material is logged and the
  // old one stays. Thread-safe. REQUIRES: options.tls was not empty.
  void SetTls(const TlsMaterial& tls);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
