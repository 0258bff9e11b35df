#include "peers.h"

#include <algorithm>
#include <grpcpp/grpcpp.h>
#include <utility>

#include "absl/strings/strip.h"

namespace korder::simulation {
namespace {

namespace pb = quota::v1;

template <class Request, class Response>
struct Exchange {
  Request request;
  Response response;
  grpc::Status status;
  bool done = false;
};

grpc::Status Unavailable(const char* why) { return {grpc::StatusCode::UNAVAILABLE, why}; }
template <class Response>
std::vector<std::string> Granted(const Response&) {
  return {};
}
std::vector<std::string> Granted(const pb::ReserveResponse& response) {
  std::vector<std::string> ids;
  for (const pb::Outcome& outcome : response.outcomes()) {
    if (outcome.has_granted()) {
      ids.push_back(outcome.id());
    }
  }
  return ids;
}

// "Reserve" of ReserveRequest.
std::string NameOfCall(const google::protobuf::Message& request) {
  return std::string(absl::StripSuffix(request.GetDescriptor()->name(), "Request"));
}
std::string AboutCall(const google::protobuf::Message& request) {
  return request.ShortDebugString();
}

grpc::Status Dead() { return {grpc::StatusCode::CANCELLED, "the process is dead"}; }

class Stub final : public pb::QuotaLedger::StubInterface {
 public:
  Stub(Peers& peers, Process& client, absl::Duration timeout)
      : peers_(peers), client_(client), timeout_(timeout) {}

  grpc::Status Reserve(grpc::ClientContext*, const pb::ReserveRequest& request,
                       pb::ReserveResponse* response) override {
    return Call(&quota::LedgerService::Reserve, request, *response);
  }
  grpc::Status Confirm(grpc::ClientContext*, const pb::ConfirmRequest& request,
                       pb::ConfirmResponse* response) override {
    return Call(&quota::LedgerService::Confirm, request, *response);
  }
  grpc::Status Release(grpc::ClientContext*, const pb::ReleaseRequest& request,
                       pb::ReleaseResponse* response) override {
    return Call(&quota::LedgerService::Release, request, *response);
  }
  grpc::Status Admit(grpc::ClientContext*, const pb::AdmitRequest& request,
                     pb::AdmitResponse* response) override {
    return Call(&quota::LedgerService::Admit, request, *response);
  }
  grpc::Status Query(grpc::ClientContext*, const pb::QueryRequest& request,
                     pb::QueryResponse* response) override {
    return Call(&quota::LedgerService::Query, request, *response);
  }
  grpc::Status Check(grpc::ClientContext*, const pb::CheckRequest& request,
                     pb::CheckResponse* response) override {
    return Call(&quota::LedgerService::Check, request, *response);
  }

 private:
  using Queue = grpc::CompletionQueue;
  template <class T>
  using Reader = grpc::ClientAsyncResponseReaderInterface<T>;
  using Context = grpc::ClientContext;

  // Nobody calls without waiting.
  Reader<pb::ReserveResponse>* AsyncReserveRaw(Context*, const pb::ReserveRequest&,
                                               Queue*) override {
    return nullptr;
  }
  Reader<pb::ReserveResponse>* PrepareAsyncReserveRaw(Context*, const pb::ReserveRequest&,
                                                      Queue*) override {
    return nullptr;
  }
  Reader<pb::ConfirmResponse>* AsyncConfirmRaw(Context*, const pb::ConfirmRequest&,
                                               Queue*) override {
    return nullptr;
  }
  Reader<pb::ConfirmResponse>* PrepareAsyncConfirmRaw(Context*, const pb::ConfirmRequest&,
                                                      Queue*) override {
    return nullptr;
  }
  Reader<pb::ReleaseResponse>* AsyncReleaseRaw(Context*, const pb::ReleaseRequest&,
                                               Queue*) override {
    return nullptr;
  }
  Reader<pb::ReleaseResponse>* PrepareAsyncReleaseRaw(Context*, const pb::ReleaseRequest&,
                                                      Queue*) override {
    return nullptr;
  }
  Reader<pb::AdmitResponse>* AsyncAdmitRaw(Context*, const pb::AdmitRequest&, Queue*) override {
    return nullptr;
  }
  Reader<pb::AdmitResponse>* PrepareAsyncAdmitRaw(Context*, const pb::AdmitRequest&,
                                                  Queue*) override {
    return nullptr;
  }
  Reader<pb::QueryResponse>* AsyncQueryRaw(Context*, const pb::QueryRequest&, Queue*) override {
    return nullptr;
  }
  Reader<pb::QueryResponse>* PrepareAsyncQueryRaw(Context*, const pb::QueryRequest&,
                                                  Queue*) override {
    return nullptr;
  }
  Reader<pb::CheckResponse>* AsyncCheckRaw(Context*, const pb::CheckRequest&, Queue*) override {
    return nullptr;
  }
  Reader<pb::CheckResponse>* PrepareAsyncCheckRaw(Context*, const pb::CheckRequest&,
                                                  Queue*) override {
    return nullptr;
  }
  grpc::ClientReaderInterface<pb::WatchResponse>* WatchRaw(Context*,
                                                           const pb::WatchRequest&) override {
    return nullptr;
  }
  grpc::ClientAsyncReaderInterface<pb::WatchResponse>* AsyncWatchRaw(Context*,
                                                                     const pb::WatchRequest&,
                                                                     Queue*, void*) override {
    return nullptr;
  }
  grpc::ClientAsyncReaderInterface<pb::WatchResponse>* PrepareAsyncWatchRaw(Context*,
                                                                            const pb::WatchRequest&,
                                                                            Queue*) override {
    return nullptr;
  }

  template <class Request, class Response>
  using Method = grpc::Status (quota::LedgerService::*)(grpc::ServerContext*, const Request*,
                                                        Response*);

  template <class Request, class Response>
  grpc::Status Call(Method<Request, Response> method, const Request& request, Response& response) {
    Machine& machine = peers_.machine();
    if (client_.dead) {
      return Dead();
    }
    ++peers_.calls;
    const MonoTime deadline = machine.Mono() + absl::ToChronoNanoseconds(timeout_);
    const Network::Fate fate = peers_.network().NextFate(true, [&] {
      return Network::Message{client_, NameOfCall(request), AboutCall(request)};
    });
    if (Network::DiesBefore(fate)) {
      if (fate == Network::Fate::kCrashWhile) {
        Later(method, request);
      }
      peers_.network().Kill(client_);
      return Dead();
    }
    if (!peers_.network().Travel(client_, {})) {
      return Dead();
    }
    LedgerServer* const server = peers_.PickLedger();
    if (server == nullptr || fate == Network::Fate::kIsLost) {
      return Unavailable("no connection");
    }
    const Process& there = server->process;
    if (fate == Network::Fate::kArrivesTwice) {
      Begin(peers_, *server, method, request);
    }
    const auto exchange = Begin(peers_, *server, method, request);
    while (!exchange->done && !client_.dead && !there.dead && machine.Mono() < deadline) {
      // Somebody's death is noticed a little later.
      machine.Wait(exchange.get(),
                   std::min(deadline, machine.Mono() + std::chrono::milliseconds(200)), {});
    }
    if (fate == Network::Fate::kCrashAfter) {
      peers_.network().Kill(client_);
    }
    if (client_.dead || !peers_.network().Travel(client_, {})) {
      return Dead();
    }
    if (there.dead || fate == Network::Fate::kAnswerIsLost) {
      return Unavailable("the connection broke");
    }
    if (!exchange->done) {
      return {grpc::StatusCode::DEADLINE_EXCEEDED, "no answer"};
    }
    response = std::move(exchange->response);
    if (exchange->status.ok()) {
      peers_.on_answer({client_, there, response.epoch(), Granted(response)});
    }
    return exchange->status;
  }

  // Arrives when the caller is dead.
  template <class Request, class Response>
  void Later(Method<Request, Response> method, const Request& request) {
    peers_.machine().After(peers_.network().NextAftermath(), [&peers = peers_, method, request] {
      if (LedgerServer* const server = peers.PickLedger()) {
        Begin(peers, *server, method, request);
      }
    });
  }
  // Has the server answer on a thread of its own.
  template <class Request, class Response>
  static std::shared_ptr<Exchange<Request, Response>> Begin(Peers& peers, LedgerServer& server,
                                                            Method<Request, Response> method,
                                                            const Request& request) {
    auto exchange = std::make_shared<Exchange<Request, Response>>();
    exchange->request = request;
    ++server.calls;
    Machine& machine = peers.machine();
    machine.Start(server.process, [exchange, method, &server, &machine] {
      grpc::ServerContext context;
      exchange->status =
          (server.service.*method)(&context, &exchange->request, &exchange->response);
      exchange->done = true;
      machine.WakeAll(exchange.get());
      --server.calls;
      machine.WakeAll(&server);
    });
    return exchange;
  }

  Peers& peers_;
  Process& client_;
  const absl::Duration timeout_;
};

}  // namespace

void Peers::Leave(LedgerServer& server) {
  std::erase(ledgers, &server);
  while (server.calls > 0) {
    machine_.Wait(&server, MonoTime::max(), {});
  }
}

void Peers::Leave(WebhookServer& server) {
  std::erase(webhooks, &server);
  while (server.calls > 0) {
    machine_.Wait(&server, MonoTime::max(), {});
  }
}

LedgerServer* Peers::PickLedger() {
  std::vector<LedgerServer*> serving;
  for (LedgerServer* server : ledgers) {
    if (server->serving && !server->process.dead) {
      serving.push_back(server);
    }
  }
  return serving.empty() ? nullptr : dice_.Pick(serving);
}

std::unique_ptr<quota::v1::QuotaLedger::StubInterface> LedgerRoute::New() {
  return std::make_unique<Stub>(peers_, client_, std::exchange(timeout, absl::Seconds(3)));
}

}  // namespace korder::simulation
