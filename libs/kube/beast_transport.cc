#include "kube/beast_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "kube/api_error.h"
#include "kube/bearer_token.h"
#include "kube/beast_connection.h"
#include "kube/connection_pool.h"
#include "kube/tls_context.h"

namespace korder::kube {
namespace {

// Of the body of a refusal to open a stream.
constexpr size_t kMaxErrorBody = 1 << 20;

// steady_clock counts nanoseconds: an infinite timeout must not overflow it.
MonoTime After(MonoTime now, absl::Duration timeout) {
  return now + absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24 * 365)));
}

class Stream final : public ByteStream {
 public:
  Stream(std::unique_ptr<Connection> connection, std::stop_token stop)
      : connection_(std::move(connection)), stop_(std::move(stop)) {}

  absl::StatusOr<std::string> Read(absl::Duration idle) override {
    return connection_->ReadPiece({After(clock_.Mono(), idle), stop_});
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<Connection> connection_;
  const std::stop_token stop_;
};

class BeastTransport final : public HttpTransport {
 public:
  BeastTransport(ClusterConfig config, BeastTransportOptions options)
      : config_(std::move(config)),
        options_(std::move(options)),
        token_(config_.token, config_.token_file),
        pool_(options_.max_idle, absl::ToChronoNanoseconds(options_.idle_timeout)) {
    if (config_.tls) {
      absl::StatusOr<SslContext> tls = NewTlsContext(config_);
      setup_ = tls.status();
      tls_ = tls.ok() ? *std::move(tls) : nullptr;
    }
  }

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override {
    const Limits limits{After(clock_.Mono(), options.timeout), options.stop};
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                     Exchange(request, options_.max_body, limits));
    HttpResponse response{
        .status = connection->status(), .body = "", .retry_after = connection->retry_after()};
    ASSIGN_OR_RETURN(response.body, connection->ReadBody(limits));
    pool_.Keep(std::move(connection), clock_.Mono());
    return response;
  }

  absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                      const CallOptions& options) override {
    const Limits limits{After(clock_.Mono(), options.timeout), options.stop};
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                     Exchange(request, std::nullopt, limits));
    StreamResponse response{.status = connection->status(),
                            .retry_after = connection->retry_after(),
                            .error_body = "",
                            .body = nullptr};
    if (IsSuccess(response.status)) {
      response.body = std::make_unique<Stream>(std::move(connection), options.stop);
      return response;
    }
    while (response.error_body.size() < kMaxErrorBody) {
      ASSIGN_OR_RETURN(const std::string piece, connection->ReadPiece(limits));
      if (piece.empty()) {
        break;
      }
      response.error_body += piece;
    }
    pool_.Keep(std::move(connection), clock_.Mono());
    return response;
  }

 private:
  // Sends the request and reads the header of the answer; returns the connection the body is on.
  absl::StatusOr<std::unique_ptr<Connection>> Exchange(const HttpRequest& request,
                                                       std::optional<size_t> max_body,
                                                       const Limits& limits) {
    RETURN_IF_ERROR(setup_);
    const std::string text = Render(request);
    const auto attempt = [&](Connection& connection) -> absl::Status {
      RETURN_IF_ERROR(connection.Send(text, limits));
      return connection.ReadHead(max_body, limits);
    };
    if (std::unique_ptr<Connection> kept = pool_.Take(clock_.Mono())) {
      const absl::Status status = attempt(*kept);
      if (status.ok()) {
        return Checked(std::move(kept));
      }
      if (!absl::IsUnavailable(status)) {
        return status;
      }
      pool_.Clear();  // What broke this one will have broken the others.
      const bool repeatable = request.method == "GET" || !kept->sent_anything();
      if (kept->received_anything() || !repeatable) {
        return status;
      }
    }
    auto fresh = std::make_unique<Connection>(tls_.get());
    RETURN_IF_ERROR(fresh->Connect(config_, limits));
    RETURN_IF_ERROR(attempt(*fresh));
    return Checked(std::move(fresh));
  }

  std::unique_ptr<Connection> Checked(std::unique_ptr<Connection> connection) {
    if (connection->status() == 401) {
      token_.Refused();
    }
    return connection;
  }

  std::string Render(const HttpRequest& request) {
    std::string text =
        absl::StrCat(request.method, " ", config_.path_prefix, request.target,
                     " HTTP/1.1\r\nHost: ", Authority(), "\r\nUser-Agent: ", options_.user_agent,
                     "\r\nAccept: application/json\r\n");
    if (config_.tls) {
      if (const std::string token = token_.Get(clock_.Mono()); !token.empty()) {
        absl::StrAppend(&text, "Authorization: Bearer ", token, "\r\n");
      }
    }
    if (!request.content_type.empty()) {
      absl::StrAppend(&text, "Content-Type: ", request.content_type, "\r\n");
    }
    if (!request.body.empty() || request.method != "GET") {
      absl::StrAppend(&text, "Content-Length: ", request.body.size(), "\r\n");
    }
    absl::StrAppend(&text, "\r\n", request.body);
    return text;
  }

  std::string Authority() const {
    const bool ipv6 = config_.host.find(':') != std::string::npos;
    return absl::StrCat(ipv6 ? "[" : "", config_.host, ipv6 ? "]:" : ":", config_.port);
  }

  const SystemClock clock_;
  const ClusterConfig config_;
  const BeastTransportOptions options_;
  absl::Status setup_;
  SslContext tls_;
  BearerToken token_;
  ConnectionPool pool_;
};

}  // namespace

std::unique_ptr<HttpTransport> NewBeastTransport(ClusterConfig config,
                                                 BeastTransportOptions options) {
  return std::make_unique<BeastTransport>(std::move(config), std::move(options));
}

}  // namespace korder::kube
