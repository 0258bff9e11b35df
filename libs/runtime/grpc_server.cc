#include "runtime/grpc_server.h"

#include <atomic>
#include <chrono>
#include <grpcpp/server.h>
#include <utility>
#include <vector>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "runtime/grpc_access.h"
#include "runtime/grpc_credentials.h"
#include "runtime/grpc_setup.h"
#include "runtime/tls_check.h"
#include "runtime/user_access.h"

namespace korder::runtime {
namespace {

constexpr std::chrono::seconds kShutdownGrace{5};

struct MethodName {
  std::string_view service;
  std::string_view method;
};

// "/package.Service/Method" taken apart.
MethodName Split(std::string_view full) {
  full.remove_prefix(full.starts_with('/') ? 1 : 0);
  const size_t slash = full.find('/');
  return slash == std::string_view::npos
             ? MethodName{full, ""}
             : MethodName{full.substr(0, slash), full.substr(slash + 1)};
}

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// Counts every call with its outcome, and the calls of people that are under way: each keeps a
// thread until its answer is read, so whoever does not read could keep them all, and with them the
// service from the other services. gRPC makes one only for methods that exist.
class CallCounter final : public grpc::experimental::Interceptor {
 public:
  CallCounter(Metrics& metrics, grpc::experimental::ServerRpcInfo* info, std::atomic<int>& people,
              int most_people)
      : metrics_(metrics),
        context_(info->server_context()),
        method_(info->method()),
        people_(people),
        most_people_(most_people) {}
  ~CallCounter() override {
    if (person_) {
      --people_;
    }
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      person_ = most_people_ > 0 && !context_->auth_context()->IsPeerAuthenticated();
      if (person_ && ++people_ > most_people_) {
        context_->TryCancel();  // Its answer waits for nobody.
      }
    }
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
      const MethodName name = Split(method_);
      metrics_.GrpcRequest(name.service, name.method,
                           CodeName(methods->GetSendStatus().error_code()));
    }
    methods->Proceed();
  }

 private:
  Metrics& metrics_;
  grpc::ServerContextBase* const context_;  // outlives this
  const char* const method_;                // gRPC's, lives as long as the server
  std::atomic<int>& people_;
  const int most_people_;
  bool person_ = false;
};

class CallCounterFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  CallCounterFactory(Metrics& metrics, int most_people)
      : metrics_(metrics), most_people_(most_people) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new CallCounter(metrics_, info, people_, most_people_);
  }

 private:
  Metrics& metrics_;
  const int most_people_;
  std::atomic<int> people_ = 0;
};

absl::Status CheckMutualTls(const TlsMaterial& tls) {
  return tls.ca.empty() ? InvalidArgumentError("ca.crt: is needed to check the peers' certificates")
                        : CheckTls(tls);
}

void Bound(grpc::ServerBuilder& builder, const GrpcServerOptions& options) {
  grpc::ResourceQuota quota("korder");
  quota.SetMaxThreads(options.max_threads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 256);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  // What NewChannel's clients send, with room to spare.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000);
  // Clients connect anew now and then: with new certificates, and spread over new replicas.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 3'600'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 30'000);
  // By default two processes may listen on one port; here a taken address must be an error.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

struct GrpcServer::Impl {
  Impl(GrpcServerOptions o, Metrics& m) : options(std::move(o)), metrics(m) {}

  bool MayCallNow(std::string_view method, std::string_view peer);
  void CheckUser(std::string_view method, std::string token, std::string ns, UserAccess::Done done);
  void CountDenied(std::string_view method, std::string_view code);
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials();
  absl::Status Start();
  void Stop(std::chrono::seconds grace);

  const GrpcServerOptions options;
  Metrics& metrics;
  std::vector<grpc::Service*> services;
  std::shared_ptr<MutualTlsCredentials> tls;  // shared with the server
  std::unique_ptr<grpc::Server> server;
  int bound_port = 0;

  Mutex mu;
  CondVar never_signalled;  // only a stop request ends the wait on it
  // What was said before Start, then what gRPC was told.
  std::map<std::string, bool> serving ABSL_GUARDED_BY(mu);
  bool started ABSL_GUARDED_BY(mu) = false;
};

bool GrpcServer::Impl::MayCallNow(std::string_view method, std::string_view peer) {
  if (MayCall(options.allow, method, peer)) {
    return true;
  }
  CountDenied(method, "PERMISSION_DENIED");
  log::Warn("call denied", {{"peer", peer}, {"method", method}});
  return false;
}

void GrpcServer::Impl::CheckUser(std::string_view method, std::string token, std::string ns,
                                 UserAccess::Done done) {
  if (UserMayAsk(options.user_methods, method)) {
    if (IsHealth(method)) {
      return done(absl::OkStatus());
    }
    if (!token.empty()) {
      return options.users->Check(
          std::move(token), std::move(ns),
          [this, name = std::string(method), done = std::move(done)](const absl::Status& may) {
            if (!may.ok()) {
              CountDenied(name, absl::StatusCodeToString(may.code()));
            }
            done(may);
          });
    }
  }
  CountDenied(method, "UNAUTHENTICATED");
  done(UnauthenticatedError(
      absl::StrCat(std::string(method), " needs a client certificate",
                   UserMayAsk(options.user_methods, method) ? " or a bearer token" : "")));
}

void GrpcServer::Impl::CountDenied(std::string_view method, std::string_view code) {
  // A peer may name any method it likes: only known ones become label values.
  const bool known = options.allow.contains(std::string(method));
  const MethodName name = known ? Split(method) : MethodName{"unknown", "unknown"};
  metrics.GrpcRequest(name.service, name.method, code);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> GrpcServer::Impl::Credentials() {
  if (options.tls.empty()) {
    return grpc::InsecureServerCredentials();
  }
  RETURN_IF_ERROR(CheckMutualTls(options.tls));
  metrics.CertificateExpiry(CertificateExpiry(options.tls));
  tls = std::make_shared<MutualTlsCredentials>(
      options.tls,
      [this](std::string_view method, std::string_view peer) { return MayCallNow(method, peer); },
      options.users == nullptr
          ? UserCheck()
          : [this](
                std::string_view method, std::string token, std::string ns,
                UserAccess::Done
                    done) { CheckUser(method, std::move(token), std::move(ns), std::move(done)); });
  return tls;
}

absl::Status GrpcServer::Impl::Start() {
  RouteGrpcLogs();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::ServerCredentials> credentials, Credentials());
  grpc::ServerBuilder builder;
  Bound(builder, options);
  builder.AddListeningPort(options.listen, std::move(credentials), &bound_port);
  for (grpc::Service* service : services) {
    builder.RegisterService(service);
  }
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<CallCounterFactory>(
      metrics, options.users == nullptr ? 0 : options.max_threads / 2));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  server = builder.BuildAndStart();
  if (server == nullptr || bound_port == 0) {
    return UnavailableError(
        absl::StrCat("listen on ", options.listen, ": the address is taken or cannot be used"));
  }
  const MutexLock lock(mu);
  started = true;
  for (const auto& [service, is_serving] : serving) {
    server->GetHealthCheckService()->SetServingStatus(service, is_serving);
  }
  return absl::OkStatus();
}

void GrpcServer::Impl::Stop(std::chrono::seconds grace) {
  if (server == nullptr) {
    return;
  }
  // Everything is NOT_SERVING first, so that clients with health checks go elsewhere.
  server->GetHealthCheckService()->Shutdown();
  server->Shutdown(std::chrono::system_clock::now() + grace);
  server->Wait();
}

GrpcServer::GrpcServer(GrpcServerOptions options, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), metrics)) {}

GrpcServer::~GrpcServer() { impl_->Stop(std::chrono::seconds(0)); }

void GrpcServer::AddService(grpc::Service* service) { impl_->services.push_back(service); }

absl::Status GrpcServer::Start() { return impl_->Start(); }

int GrpcServer::port() const { return impl_->bound_port; }

absl::Status GrpcServer::Run(std::stop_token stop) {
  {
    const MutexLock lock(impl_->mu);
    impl_->never_signalled.Wait(impl_->mu, std::move(stop), [] { return false; });
  }
  impl_->Stop(kShutdownGrace);
  return absl::OkStatus();
}

void GrpcServer::SetServing(const std::string& service, bool serving) {
  const MutexLock lock(impl_->mu);
  impl_->serving[service] = serving;
  if (impl_->started) {
    impl_->server->GetHealthCheckService()->SetServingStatus(service, serving);
  }
}

void GrpcServer::SetTls(const TlsMaterial& tls) {
  if (const absl::Status usable = CheckMutualTls(tls); !usable.ok()) {
    log::Error("new certificate refused", {{"error", ToString(usable)}});
    return;
  }
  impl_->metrics.CertificateExpiry(CertificateExpiry(tls));
  impl_->tls->SetTls(tls);
}

std::shared_ptr<grpc::Channel> GrpcServer::InProcessChannel() {
  return impl_->server->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace korder::runtime
