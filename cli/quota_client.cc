#include "cli/quota_client.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include "base/backoff.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "cli/explain.h"
#include "cli/patient_call.h"
#include "korder/quota/v1/quota.grpc.pb.h"
#include "runtime/grpc_client.h"

namespace korder::cli {
namespace {

constexpr absl::Duration kBetweenTries = absl::Milliseconds(250);

// How a watch has fared.
struct Watched {
  bool ever_told = false;
  bool renewed = false;  // credentials, since the last message
  int failures = 0;      // since the last message
};

// What a watch outlives, once it was under way: everything but a question or a user that will not
// do. A token that is not known may just have ended: a new one gets a chance.
bool Outlives(const Watched& watched, const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return false;
    case absl::StatusCode::kUnauthenticated:
      return !watched.renewed;
    default:
      return true;
  }
}

}  // namespace

absl::Status QuotaClient::Connect() {
  if (!connection_) {
    ASSIGN_OR_RETURN(connection_, connector_.Connect());
  }
  return absl::OkStatus();
}

absl::Status QuotaClient::Explained(const absl::Status& status) const {
  return Explain(status, {.where = connection_ ? connection_->where : "",
                          .system_namespace = options_.system_namespace});
}

template <class Method, class Request, class Response>
absl::Status QuotaClient::Call(Method method, const Request& request, Response& response) {
  RETURN_IF_ERROR(Connect());
  const auto stub = pb::QuotaLedger::NewStub(connection_->channel);
  return Explained(AskPatiently(clock_, options_.timeout, [&](grpc::ClientContext& context) {
    Identify(context, *connection_, /*ns=*/"");
    return FromGrpc((stub.get()->*method)(&context, request, &response));
  }));
}

absl::StatusOr<pb::QueryResponse> QuotaClient::Query(const pb::QueryRequest& request) {
  pb::QueryResponse response;
  RETURN_IF_ERROR(Call(&pb::QuotaLedger::Stub::Query, request, response));
  return response;
}

absl::StatusOr<pb::CheckResponse> QuotaClient::Check(const pb::CheckRequest& request) {
  pb::CheckResponse response;
  RETURN_IF_ERROR(Call(&pb::QuotaLedger::Stub::Check, request, response));
  return response;
}

absl::Status QuotaClient::Stream(
    const pb::WatchRequest& request, std::stop_token stop,
    const std::function<bool(const pb::WatchResponse& message, bool first)>& on_message,
    bool& told) {
  RETURN_IF_ERROR(Connect());
  const auto stub = pb::QuotaLedger::NewStub(connection_->channel);
  grpc::ClientContext context;
  Identify(context, *connection_, /*ns=*/"");
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const std::unique_ptr<grpc::ClientReader<pb::WatchResponse>> reader =
      stub->Watch(&context, request);
  pb::WatchResponse message;
  bool given_up = false;
  while (!given_up && reader->Read(&message)) {
    given_up = !on_message(message, !told);
    told = true;
  }
  if (given_up) {
    context.TryCancel();
  }
  const absl::Status end = FromGrpc(reader->Finish());
  return end.ok() || given_up ? UnavailableError("the stream ended") : end;
}

absl::Status QuotaClient::Watch(
    const pb::WatchRequest& request, std::stop_token stop,
    const std::function<bool(const pb::WatchResponse& message, bool first)>& on_message,
    const std::function<void(std::string_view why)>& on_break) {
  const BackoffPolicy backoff = {.initial = kBetweenTries, .max = options_.longest_pause};
  const MonoTime patience = clock_.Mono() + absl::ToChronoNanoseconds(options_.timeout);
  Watched watched;
  while (true) {
    bool told = false;
    const absl::Status status = Stream(request, stop, on_message, told);
    if (stop.stop_requested()) {
      return CancelledError("watch");
    }
    if (told) {
      watched = {.ever_told = true};
    }
    const bool go_on =
        watched.ever_told ? Outlives(watched, status) : MayPass(status) && clock_.Mono() < patience;
    const absl::Status explained = connection_ ? Explained(status) : status;
    if (!go_on) {
      return explained;
    }
    const absl::Duration pause = BackoffDelay(backoff, ++watched.failures, 0);
    if (watched.ever_told) {
      on_break(Message(explained));
    }
    connection_.reset();  // The replicas, their addresses and our token may have changed.
    if (absl::IsUnauthenticated(status)) {
      connector_.ForgetCredentials();
      watched.renewed = true;
    }
    if (!Pause(pause, stop)) {
      return CancelledError("watch");
    }
  }
}

}  // namespace korder::cli
