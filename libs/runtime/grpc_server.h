// A gRPC server with what every korder service has: mutual TLS, an allow-list of peers per method
// (default deny), health, reflection, bounded threads and message sizes, metrics.
//
//   GrpcServer server({.listen = "0.0.0.0:9090", .tls = tls, .allow = {
//       {"/korder.quota.v1.QuotaLedger/Reserve", {"korder-order-svc"}}}}, metrics);
//   server.AddService(&ledger_service);
//   RETURN_IF_ERROR(server.Start());
//   return server.Run(stop);
//
// Calls of people have half of the threads at most, so that services find some; what is over it is
// cancelled.
//
// A peer is named by the first DNS name of its certificate. Health and reflection are open to every
// peer with a valid certificate. People have no certificate: where `users` is given, they may call
// `user_methods` with a bearer token that the API server knows, and see the health. Without TLS
// (tests only) everything is allowed.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "runtime/metrics.h"
#include "runtime/tls.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace korder::runtime {

class UserAccess;

// Full method name ("/package.Service/Method") -> names of the peers that may call it.
using AllowList = std::map<std::string, std::set<std::string>>;

struct GrpcServerOptions {
  std::string listen;
  TlsMaterial tls = {};
  AllowList allow = {};
  std::set<std::string> user_methods = {};  // full names
  UserAccess* users = nullptr;              // borrowed
  int max_threads = 32;
  int max_message_bytes = 4 << 20;
};

class GrpcServer {
 public:
  GrpcServer(GrpcServerOptions options, Metrics& metrics);
  ~GrpcServer();

  // Borrows the service. REQUIRES: Start was not called yet.
  void AddService(grpc::Service* service);
  // Binds and serves. UNAVAILABLE with the address when it is taken.
  absl::Status Start();
  int port() const;
  // Blocks until stop, then shuts down with a deadline.
  absl::Status Run(std::stop_token stop);
  // What grpc.health.v1 answers for `service` (""= the process). Thread-safe.
  void SetServing(const std::string& service, bool serving);
  // New connections use the new certificates; open ones go on, for at most an hour. Unusable
  // material is logged and the old one stays. Thread-safe. REQUIRES: options.tls was not empty.
  void SetTls(const TlsMaterial& tls);
  // Without a socket, for tests. REQUIRES: Start succeeded.
  std::shared_ptr<grpc::Channel> InProcessChannel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
