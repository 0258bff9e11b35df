// Calls to another korder service: mutual TLS, a deadline on every call, errors as absl::Status.
//
//   auto channel = NewChannel({.address = "dns:///korder-quota-svc.korder-system.svc:9090",
//                              .peer = "korder-quota-svc", .tls = tls,
//                              .health_service = "korder.quota.v1.QuotaLedger"});
//   auto stub = quota::v1::QuotaLedger::NewStub(channel);
//   grpc::ClientContext context;
//   SetDeadline(context, absl::Seconds(2));
//   return FromGrpcStatus(stub->Reserve(&context, request, &response), "reserve");
#pragma once

#include <functional>
#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <grpcpp/client_context.h>

#include "absl/time/time.h"
#include "base/mono_time.h"
#include "base/mutex.h"
#include "base/status.h"
#include "runtime/tls.h"

namespace korder::runtime {

struct ChannelOptions {
  std::string address;  // a gRPC target: "host:port", "dns:///name:port", "ipv4:a:1,b:2"
  // The name the server's certificate must carry.
  std::string peer = {};
  TlsMaterial tls = {};
  // Balance over all addresses, and use only those whose health says SERVING for this service
  // (that is how the leader among replicas is found). Empty = no health checks.
  std::string health_service = {};
};

std::shared_ptr<grpc::Channel> NewChannel(const ChannelOptions& options);

// A channel whose certificates can be exchanged. Make a stub per call, which is cheap:
//
//   QuotaLedger::NewStub(peer.Get())->Reserve(&context, request, &response);
//
// Thread-safe.
class PeerChannel {
 public:
  explicit PeerChannel(ChannelOptions options);

  // Calls made on it go on after SetTls. One that has failed for two seconds is exchanged for a new
  // one, which asks for the addresses anew: gRPC itself does so only when a connection breaks, not
  // while it has one to a replica that stands by.
  std::shared_ptr<grpc::Channel> Get();
  // From now on Get returns a channel with this material; the same material changes nothing.
  void SetTls(const TlsMaterial& tls);
  // Until stop: calls `ready` each time that the peer can be called again after it could not. Keeps
  // connecting meanwhile. One thread at a time.
  void Follow(std::stop_token stop, const std::function<void()>& ready);

 private:
  Mutex mu_;
  ChannelOptions options_ ABSL_GUARDED_BY(mu_);
  // Shared with the calls that use it.
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
  std::optional<MonoTime> failing_since_ ABSL_GUARDED_BY(mu_);
};

// REQUIRES: timeout > 0. Every outgoing call has a deadline.
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout);

// The codes share their numbers. A RetryAfter goes along, as google.rpc.RetryInfo in the standard
// grpc-status-details-bin trailer; other payloads do not. `attempt` stands before the message.
absl::Status FromGrpcStatus(const grpc::Status& status, std::string_view attempt);
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace korder::runtime
