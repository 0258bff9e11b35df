#include "runtime/grpc_server.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include "korder/quota/v1/quota.grpc.pb.h"
#include "runtime/grpc_access.h"
#include "runtime/grpc_client.h"
#include "runtime/testing/reviewing_api_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/tls_check.h"
#include "runtime/user_access.h"

namespace korder::runtime {
namespace {

namespace pb = korder::quota::v1;

constexpr char kService[] = "korder.quota.v1.QuotaLedger";
constexpr char kReserve[] = "/korder.quota.v1.QuotaLedger/Reserve";
constexpr char kRelease[] = "/korder.quota.v1.QuotaLedger/Release";

class Ledger final : public pb::QuotaLedger::Service {
  grpc::Status Reserve(grpc::ServerContext*, const pb::ReserveRequest* request,
                       pb::ReserveResponse* response) override {
    if (request->namespace_() == "busy") {
      return ToGrpcStatus(WithRetryAfter(UnavailableError("follower"), absl::Seconds(2)));
    }
    response->set_epoch(7);
    return grpc::Status::OK;
  }
};

// A server with mutual TLS on a free port.
struct Running {
  explicit Running(TlsMaterial tls, AllowList allow = {{kReserve, {"korder-order-svc"}}},
                   UserAccess* users = nullptr)
      : server({.listen = "127.0.0.1:0",
                .tls = std::move(tls),
                .allow = std::move(allow),
                .user_methods = {kReserve},
                .users = users},
               metrics) {
    server.AddService(&ledger);
    const absl::Status started = server.Start();
    INFO(ToString(started));
    REQUIRE(started.ok());
    thread = std::jthread([this](std::stop_token stop) { (void)server.Run(stop); });
  }
  ChannelOptions To(TlsMaterial client, std::string health_service = "") const {
    return {.address = "127.0.0.1:" + std::to_string(server.port()),
            .peer = "korder-quota-svc",
            .tls = std::move(client),
            .health_service = std::move(health_service)};
  }

  Metrics metrics{"quota-svc"};
  Ledger ledger;
  GrpcServer server;
  std::jthread thread;
};

absl::Status Reserve(const std::shared_ptr<grpc::Channel>& channel, const std::string& ns = "",
                     bool wait_for_ready = false) {
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(10));
  context.set_wait_for_ready(wait_for_ready);
  pb::ReserveRequest request;
  request.set_namespace_(ns);
  pb::ReserveResponse response;
  return FromGrpcStatus(pb::QuotaLedger::NewStub(channel)->Reserve(&context, request, &response),
                        "reserve");
}

absl::Status Release(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(10));
  pb::ReleaseResponse response;
  return FromGrpcStatus(pb::QuotaLedger::NewStub(channel)->Release(&context, {}, &response),
                        "release");
}

// Sends one message to a method by name and returns the first message of the answer, as bytes.
absl::StatusOr<std::string> CallByName(const std::shared_ptr<grpc::Channel>& channel,
                                       const std::string& method, const std::string& message) {
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(10));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto call = grpc::GenericStub(channel).PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice slice(message);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  queue.Next(&tag, &ok);
  const bool got = ok;
  call->WritesDone(nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  if (!got || !answer.DumpToSingleSlice(&bytes).ok()) {
    return FromGrpcStatus(status, method);
  }
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

TEST_CASE("grpc access: the list decides, and the default is no", "[grpc]") {
  const AllowList allow = {{kReserve, {"korder-order-svc"}}};
  struct Case {
    const char* name;
    const char* method;
    const char* peer;
    bool want;
  };
  const Case cases[] = {
      {"a peer on the list", kReserve, "korder-order-svc", true},
      {"another peer", kReserve, "korder-ticket-svc", false},
      {"a method not on the list", kRelease, "korder-order-svc", false},
      {"a peer without a name", kReserve, "", false},
      {"no method", "", "korder-order-svc", false},
      {"a method that only begins alike", "/korder.quota.v1.QuotaLedger/ReserveAll",
       "korder-order-svc", false},
      {"health", "/grpc.health.v1.Health/Check", "korder-ticket-svc", true},
      {"health without a name", "/grpc.health.v1.Health/Check", "", false},
      {"reflection", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "x", true},
      {"a service that only sounds like health", "/grpc.health.v1.HealthX/Check", "x", false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(MayCall(allow, c.method, c.peer) == c.want); }
  }
}

TEST_CASE("grpc server: people call the methods that are theirs with a bearer token",
          "[grpc][tls]") {
  const TestCa ca;
  ReviewingApiServer api_server({.knows = {"jane", "joe"}, .may = {"jane"}});
  kube::Client client(api_server);
  SystemClock clock;
  UserAccess users(client, clock, {.access = {.verb = "get", .resource = "quotas"}});
  const std::jthread run([&](std::stop_token stop) { users.Run(stop); });
  Running running(ca.Issue("korder-quota-svc"),
                  {{kReserve, {"korder-order-svc"}}, {kRelease, {"korder-order-svc"}}}, &users);
  // Without a certificate of its own, it trusts the server's.
  const auto person = NewChannel(running.To({.ca = ca.Issue("x").ca}));
  const auto call = [&](const std::string& header) {
    grpc::ClientContext context;
    SetDeadline(context, absl::Seconds(10));
    if (!header.empty()) {
      context.AddMetadata("authorization", header);
    }
    pb::ReserveResponse response;
    return FromGrpcStatus(pb::QuotaLedger::NewStub(person)->Reserve(&context, {}, &response), "");
  };
  absl::Status jane = call("Bearer jane");
  for (int i = 0; i < 100 && absl::IsUnavailable(jane); ++i) {  // The thread has not begun.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    jane = call("Bearer jane");
  }
  INFO(ToString(jane));
  CHECK(jane.ok());
  CHECK(absl::IsPermissionDenied(call("Bearer joe")));
  CHECK(absl::IsUnauthenticated(call("Bearer made-up")));
  CHECK(absl::IsUnauthenticated(call("Basic jane")));
  CHECK(absl::IsUnauthenticated(call("")));
  // Methods of services stay theirs, whatever the token.
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(10));
  context.AddMetadata("authorization", "Bearer jane");
  pb::ReleaseResponse response;
  CHECK(absl::IsUnauthenticated(FromGrpcStatus(
      pb::QuotaLedger::NewStub(person)->Release(&context, {}, &response), "release")));
  // Services need no token.
  CHECK(Reserve(NewChannel(running.To(ca.Issue("korder-order-svc")))).ok());
  CHECK(absl::IsPermissionDenied(Reserve(NewChannel(running.To(ca.Issue("korder-ticket-svc"))))));
}

TEST_CASE("grpc server: only peers on a method's list may call it", "[grpc][tls]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  const auto order = NewChannel(running.To(ca.Issue("korder-order-svc")));
  CHECK(Reserve(order).ok());

  const absl::Status other_method = Release(order);
  CHECK(absl::IsPermissionDenied(other_method));
  CHECK_THAT(ToString(other_method), Catch::Contains(kRelease));

  const auto ticket = NewChannel(running.To(ca.Issue("korder-ticket-svc")));
  const absl::Status other_peer = Reserve(ticket);
  CHECK(absl::IsPermissionDenied(other_peer));
  CHECK_THAT(ToString(other_peer), Catch::Contains("korder-ticket-svc may not call"));
}

TEST_CASE("grpc server: a peer without a certificate of our CA gets no connection", "[grpc][tls]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  TlsMaterial nameless = ca.Issue("korder-order-svc");
  const std::string address = running.To({}).address;

  CHECK(absl::IsUnavailable(Reserve(NewChannel(running.To({})))));  // plain text

  grpc::SslCredentialsOptions only_ca;
  only_ca.pem_root_certs = nameless.ca;
  grpc::ChannelArguments args;
  args.SetSslTargetNameOverride("korder-quota-svc");
  CHECK(absl::IsUnavailable(
      Reserve(grpc::CreateCustomChannel(address, grpc::SslCredentials(only_ca), args))));

  TlsMaterial forged = TestCa().Issue("korder-order-svc");
  forged.ca = nameless.ca;
  CHECK(absl::IsUnavailable(Reserve(NewChannel(running.To(forged)))));
}

TEST_CASE("grpc client: a server with another name or another CA is not talked to", "[grpc][tls]") {
  const TestCa ca;
  Running impostor(ca.Issue("korder-order-svc"));
  CHECK(absl::IsUnavailable(Reserve(NewChannel(impostor.To(ca.Issue("korder-order-svc"))))));
  TlsMaterial wary = ca.Issue("korder-order-svc");
  wary.ca = TestCa().Issue("x").ca;
  Running real(ca.Issue("korder-quota-svc"));
  CHECK(absl::IsUnavailable(Reserve(NewChannel(real.To(wary)))));
}

TEST_CASE("grpc server: an error crosses with its retry hint", "[grpc]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  const absl::Status busy = Reserve(NewChannel(running.To(ca.Issue("korder-order-svc"))), "busy");
  CHECK(ToString(busy) == "UNAVAILABLE: reserve: follower");
  CHECK(RetryAfter(busy) == absl::Seconds(2));
}

TEST_CASE("grpc server: calls are counted with their outcome", "[grpc]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  const auto channel = NewChannel(running.To(ca.Issue("korder-order-svc")));
  CHECK(Reserve(channel).ok());
  CHECK_FALSE(Reserve(channel, "busy").ok());
  CHECK_FALSE(Release(channel).ok());
  // The server counts before it sends, so the answers above are in the text.
  const std::string text = running.metrics.Text();
  CHECK_THAT(text, Catch::Contains("korder_grpc_requests_total{code=\"OK\",method=\"Reserve\","
                                   "service=\"korder.quota.v1.QuotaLedger\"} 1"));
  CHECK_THAT(text, Catch::Contains("korder_grpc_requests_total{code=\"UNAVAILABLE\",method="
                                   "\"Reserve\",service=\"korder.quota.v1.QuotaLedger\"} 1"));
  CHECK_THAT(text, Catch::Contains("korder_grpc_requests_total{code=\"PERMISSION_DENIED\",method="
                                   "\"unknown\",service=\"unknown\"} 1"));
}

TEST_CASE("grpc server: a channel with health checks uses only a server that serves", "[grpc]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  running.server.SetServing(kService, false);
  const auto channel = NewChannel(running.To(ca.Issue("korder-order-svc"), kService));
  CHECK(absl::IsUnavailable(Reserve(channel)));
  running.server.SetServing(kService, true);
  CHECK(Reserve(channel, "", /*wait_for_ready=*/true).ok());
}

// Within ten seconds.
bool Comes(const std::function<bool()>& what) {
  for (int i = 0; i < 1'000 && !what(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return what();
}

TEST_CASE("grpc client: who follows a peer hears when it can be called again", "[grpc]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  running.server.SetServing(kService, false);
  PeerChannel peer(running.To(ca.Issue("korder-order-svc"), kService));
  std::atomic<int> heard = 0;
  const std::jthread follow([&](std::stop_token stop) { peer.Follow(stop, [&] { ++heard; }); });
  REQUIRE(absl::IsUnavailable(Reserve(peer.Get())));
  CHECK(heard == 0);
  running.server.SetServing(kService, true);
  CHECK(Comes([&] { return heard == 1; }));
  CHECK(Reserve(peer.Get()).ok());
  running.server.SetServing(kService, false);
  CHECK(Comes([&] { return absl::IsUnavailable(Reserve(peer.Get())); }));
  running.server.SetServing(kService, true);
  CHECK(Comes([&] { return heard == 2; }));
}

TEST_CASE("grpc client: a channel that has failed for two seconds asks for the addresses anew",
          "[grpc]") {
  // It has a connection to a replica that stands by, and would never ask for others.
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  running.server.SetServing(kService, false);
  PeerChannel peer(running.To(ca.Issue("korder-order-svc"), kService));
  const auto first = peer.Get();
  REQUIRE(Comes([&first] {
    return first->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_TRANSIENT_FAILURE;
  }));
  CHECK(peer.Get() == first);
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  const auto second = peer.Get();
  CHECK(second != first);
  CHECK(peer.Get() == second);
}

TEST_CASE("grpc server: health that was set before the start holds", "[grpc]") {
  Metrics metrics("quota-svc");
  Ledger ledger;
  GrpcServer server({.listen = "127.0.0.1:0"}, metrics);
  server.AddService(&ledger);
  server.SetServing(kService, true);
  REQUIRE(server.Start().ok());
  // HealthCheckRequest{service: kService} -> HealthCheckResponse{status: SERVING}
  std::string request = "\x0a";
  request += static_cast<char>(sizeof(kService) - 1);
  request += kService;
  const auto answer =
      CallByName(server.InProcessChannel(), "/grpc.health.v1.Health/Check", request);
  REQUIRE(answer.ok());
  CHECK(*answer == std::string("\x08\x01", 2));
}

TEST_CASE("grpc server: reflection lists the services to any valid peer", "[grpc][tls]") {
  const TestCa ca;
  Running running(ca.Issue("korder-quota-svc"));
  const auto answer =
      CallByName(NewChannel(running.To(ca.Issue("somebody"))),
                 "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                 std::string("\x3a\x00", 2));  // ServerReflectionRequest{list_services: ""}
  REQUIRE(answer.ok());
  CHECK_THAT(*answer, Catch::Contains(kService));
}

TEST_CASE("grpc server: new connections use new certificates, open ones go on", "[grpc][tls]") {
  const TestCa old_ca;
  const TestCa new_ca;
  Running running(old_ca.Issue("korder-quota-svc"));
  const auto open = NewChannel(running.To(old_ca.Issue("korder-order-svc")));
  PeerChannel peer(running.To(old_ca.Issue("korder-order-svc")));
  CHECK(Reserve(open).ok());
  CHECK(Reserve(peer.Get()).ok());

  const TlsMaterial renewed = new_ca.Issue("korder-quota-svc");
  running.server.SetTls(renewed);
  CHECK_THAT(running.metrics.Text(),
             Catch::Contains("korder_certificate_expiry_seconds{service=\"quota-svc\"} " +
                             std::to_string(absl::ToUnixSeconds(CertificateExpiry(renewed)))));
  CHECK(Reserve(open).ok());
  CHECK(absl::IsUnavailable(Reserve(NewChannel(running.To(old_ca.Issue("korder-order-svc"))))));
  peer.SetTls(new_ca.Issue("korder-order-svc"));
  CHECK(Reserve(peer.Get()).ok());

  running.server.SetTls({.ca = "", .certificate = "bad", .key = "bad"});
  CHECK(Reserve(NewChannel(running.To(new_ca.Issue("korder-order-svc")))).ok());
}

TEST_CASE("grpc server: a taken address is UNAVAILABLE and named", "[grpc]") {
  Metrics metrics("quota-svc");
  Ledger ledger;
  GrpcServer first({.listen = "127.0.0.1:0"}, metrics);
  first.AddService(&ledger);
  REQUIRE(first.Start().ok());
  const std::string address = "127.0.0.1:" + std::to_string(first.port());
  GrpcServer second({.listen = address}, metrics);
  second.AddService(&ledger);
  const absl::Status taken = second.Start();
  CHECK(absl::IsUnavailable(taken));
  CHECK_THAT(ToString(taken), Catch::Contains(address));
}

TEST_CASE("grpc server: TLS without a usable certificate or without a CA is refused",
          "[grpc][tls]") {
  Metrics metrics("quota-svc");
  GrpcServer broken({.listen = "127.0.0.1:0", .tls = {.ca = "", .certificate = "x", .key = "y"}},
                    metrics);
  CHECK(absl::IsInvalidArgument(broken.Start()));
  TlsMaterial no_ca = TestCa().Issue("korder-quota-svc");
  no_ca.ca = "";
  CHECK(absl::IsInvalidArgument(
      GrpcServer({.listen = "127.0.0.1:0", .tls = no_ca}, metrics).Start()));
}

TEST_CASE("grpc client: a call that nobody answers ends at its deadline", "[grpc]") {
  for (const absl::Duration timeout : {absl::ZeroDuration(), absl::Milliseconds(20)}) {
    grpc::ClientContext context;
    SetDeadline(context, timeout);
    context.set_wait_for_ready(true);
    pb::ReserveResponse response;
    const auto stub = pb::QuotaLedger::NewStub(NewChannel({.address = "127.0.0.1:1"}));
    CHECK(stub->Reserve(&context, {}, &response).error_code() ==
          grpc::StatusCode::DEADLINE_EXCEEDED);
  }
}

TEST_CASE("grpc client: every deadline is bounded", "[grpc]") {
  grpc::ClientContext context;
  SetDeadline(context, absl::InfiniteDuration());
  CHECK(context.deadline() < std::chrono::system_clock::now() + std::chrono::minutes(61));
}

}  // namespace korder::runtime
