#include "runtime/grpc_client.h"

#include <algorithm>
#include <chrono>
#include <grpcpp/security/credentials.h>
#include <utility>

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "runtime/grpc_setup.h"

namespace korder::runtime {
namespace {

// round_robin over every address the target resolves to; with a health service, only over those
// that say SERVING. Health checks need round_robin: pick_first has none.
std::string ServiceConfig(const std::string& health_service) {
  const std::string health =
      health_service.empty()
          ? ""
          : absl::StrCat(",\"healthCheckConfig\":{\"serviceName\":\"", health_service, "\"}");
  return absl::StrCat("{\"loadBalancingConfig\":[{\"round_robin\":{}}]", health, "}");
}

// gRPC 1.51 has no public setting for the lowest TLS version: it offers 1.2 and 1.3. Both sides are
// korder on OpenSSL 3, so 1.3 is what is agreed on, and TLS 1.3 itself detects a forced downgrade.
std::shared_ptr<grpc::ChannelCredentials> Credentials(const TlsMaterial& tls) {
  if (tls.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.ca;
  options.pem_cert_chain = tls.certificate;
  options.pem_private_key = tls.key;
  return grpc::SslCredentials(options);
}

// Monotonic: setting the wall clock must not fail calls under way.
gpr_timespec In(absl::Duration timeout) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN));
}

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const ChannelOptions& options) {
  RouteGrpcLogs();
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(ServiceConfig(options.health_service));
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  if (!options.tls.empty() && !options.peer.empty()) {
    args.SetSslTargetNameOverride(options.peer);
  }
  // A leader that comes back, or a new one on a new address, is found within about two seconds.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // also the time one attempt may take
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // A peer that vanished without a word is noticed even while no call is made.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Channels do not share connections: one made with new certificates must not use an old one.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Calls inside the cluster never go through a proxy of the environment.
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(options.address, Credentials(options.tls), args);
}

PeerChannel::PeerChannel(ChannelOptions options)
    : options_(std::move(options)), channel_(NewChannel(options_)) {}

std::shared_ptr<grpc::Channel> PeerChannel::Get() {
  constexpr std::chrono::seconds kLongestFailure{2};
  const MutexLock lock(mu_);
  if (channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    failing_since_.reset();
    return channel_;
  }
  const MonoTime now = SteadyNow();
  if (now - failing_since_.value_or(now) >= kLongestFailure) {
    channel_ = NewChannel(options_);
    failing_since_.reset();
  } else if (!failing_since_) {
    failing_since_ = now;
  }
  return channel_;
}

void PeerChannel::SetTls(const TlsMaterial& tls) {
  const MutexLock lock(mu_);
  if (options_.tls != tls) {
    options_.tls = tls;
    channel_ = NewChannel(options_);
  }
}

void PeerChannel::Follow(std::stop_token stop, const std::function<void()>& ready) {
  // gRPC cannot be made to end a wait sooner, and SetTls may exchange the channel.
  constexpr absl::Duration kSlice = absl::Milliseconds(500);
  bool was_ready = true;
  while (!stop.stop_requested()) {
    const std::shared_ptr<grpc::Channel> channel = Get();
    const grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
    const bool is_ready = state == GRPC_CHANNEL_READY;
    if (is_ready && !was_ready) {
      ready();
    }
    was_ready = is_ready;
    (void)channel->WaitForStateChange(state, In(kSlice));
  }
}

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(
      In(std::clamp(timeout, absl::ZeroDuration(), absl::Duration(absl::Hours(1)))));
}

}  // namespace korder::runtime
