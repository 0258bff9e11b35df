#include "kube/beast_transport.h"

#include <array>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "kube/beast_connection.h"

namespace korder::kube {
namespace {

constexpr size_t kMaxResponse = 1 << 30;
constexpr size_t kReadSize = 64 << 10;
constexpr std::chrono::seconds kTokenAge(30);

absl::Duration ParseRetryAfter(std::string_view text) {
  int seconds = 0;
  return absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &seconds) && seconds > 0
             ? absl::Seconds(seconds)
             : absl::ZeroDuration();
}

template <class Message>
absl::Duration RetryAfterOf(const Message& message) {
  const auto header = message[http::field::retry_after];
  return ParseRetryAfter({header.data(), header.size()});
}

// The bearer token; one in a file is read again when it may have been rotated. Thread-safe.
class TokenSource {
 public:
  explicit TokenSource(const ClusterConfig& config)
      : file_(config.token_file), token_(config.token) {}

  std::string Get() {
    if (file_.empty()) {
      return token_;
    }
    const MutexLock lock(mu_);
    const auto now = std::chrono::steady_clock::now();
    if (token_.empty() || now - read_at_ > kTokenAge) {
      std::ifstream in(file_);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
      }
      if (!text.empty()) {
        token_ = std::move(text);
      }
      read_at_ = now;
    }
    return token_;
  }

 private:
  const std::string file_;
  Mutex mu_;
  std::string token_;
  MonoTime read_at_;
};

class Stream final : public ByteStream {
 public:
  Stream(std::unique_ptr<Connection> connection, std::stop_token stop,
         std::unique_ptr<http::response_parser<http::buffer_body>> parser)
      : connection_(std::move(connection)), stop_(std::move(stop)), parser_(std::move(parser)) {}

  absl::StatusOr<std::string> Read(absl::Duration idle) override {
    std::string data;
    const Limits limits{std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(idle), stop_};
    while (data.empty()) {
      if (parser_->is_done()) {
        return data;
      }
      data.resize(kReadSize);
      auto& body = parser_->get().body();
      body.data = data.data();
      body.size = data.size();
      beast::error_code ec = connection_->Await(limits, [&](auto& stream, auto done) {
        http::async_read_some(stream, connection_->buffer(), *parser_, done);
      });
      if (ec == http::error::need_buffer) {
        ec = {};
      }
      RETURN_IF_ERROR(Connection::ToStatus(ec, limits, "watch"));
      data.resize(data.size() - body.size);
    }
    return data;
  }

 private:
  std::unique_ptr<Connection> connection_;
  std::stop_token stop_;
  std::unique_ptr<http::response_parser<http::buffer_body>> parser_;
};

class BeastTransport final : public HttpTransport {
 public:
  BeastTransport(ClusterConfig config, BeastTransportOptions options)
      : config_(std::move(config)), options_(std::move(options)), token_(config_) {
    setup_ = SetupTls();
  }

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override {
    RETURN_IF_ERROR(setup_);
    const Limits limits = LimitsOf(options);
    const auto message = Render(request);
    std::unique_ptr<Connection> connection = TakeIdle();
    if (connection) {
      absl::StatusOr<HttpResponse> response = Exchange(*connection, message, limits);
      if (response.ok() || !absl::IsUnavailable(response.status()) || request.method != "GET") {
        Keep(std::move(connection));
        return response;
      }
    }
    connection = std::make_unique<Connection>(config_.tls ? &*tls_ : nullptr);
    RETURN_IF_ERROR(connection->Connect(config_, limits));
    absl::StatusOr<HttpResponse> response = Exchange(*connection, message, limits);
    Keep(std::move(connection));
    return response;
  }

  absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                      const CallOptions& options) override {
    RETURN_IF_ERROR(setup_);
    const Limits limits = LimitsOf(options);
    auto connection = std::make_unique<Connection>(config_.tls ? &*tls_ : nullptr);
    RETURN_IF_ERROR(connection->Connect(config_, limits));
    RETURN_IF_ERROR(connection->Write(Render(request), limits));
    auto parser = std::make_unique<http::response_parser<http::buffer_body>>();
    parser->body_limit(boost::none);
    const beast::error_code ec = connection->Await(limits, [&](auto& stream, auto done) {
      http::async_read_header(stream, connection->buffer(), *parser, done);
    });
    RETURN_IF_ERROR(Connection::ToStatus(ec, limits, "open the stream"));
    StreamResponse response;
    response.status = static_cast<int>(parser->get().result_int());
    response.retry_after = RetryAfterOf(parser->get());
    auto body = std::make_unique<Stream>(std::move(connection), options.stop, std::move(parser));
    if (response.status >= 200 && response.status < 300) {
      response.body = std::move(body);
      return response;
    }
    for (;;) {
      ASSIGN_OR_RETURN(const std::string more, body->Read(options.timeout));
      if (more.empty()) {
        return response;
      }
      response.error_body += more;
    }
  }

 private:
  static Limits LimitsOf(const CallOptions& options) {
    const absl::Duration timeout = std::min(options.timeout, absl::Hours(24));
    return {std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout), options.stop};
  }

  absl::Status SetupTls() {
    if (!config_.tls) {
      return absl::OkStatus();
    }
    tls_.emplace(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    beast::error_code ec;
    if (config_.ca.empty()) {
      tls_->set_default_verify_paths(ec);
    } else {
      tls_->add_certificate_authority(net::buffer(config_.ca), ec);
    }
    if (!ec && !config_.certificate.empty()) {
      tls_->use_certificate_chain(net::buffer(config_.certificate), ec);
      if (!ec) {
        tls_->use_private_key(net::buffer(config_.key), ssl::context::pem, ec);
      }
    }
    return ec ? InvalidArgumentError(absl::StrCat("TLS set-up: ", ec.message())) : absl::OkStatus();
  }

  http::request<http::string_body> Render(const HttpRequest& request) {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(config_.path_prefix + request.target);
    message.version(11);
    message.set(http::field::host, absl::StrCat(config_.host, ":", config_.port));
    message.set(http::field::user_agent, options_.user_agent);
    message.set(http::field::accept, "application/json");
    if (const std::string token = token_.Get(); !token.empty()) {
      message.set(http::field::authorization, "Bearer " + token);
    }
    if (!request.content_type.empty()) {
      message.set(http::field::content_type, request.content_type);
      message.body() = request.body;
    }
    message.prepare_payload();
    return message;
  }

  static absl::StatusOr<HttpResponse> Exchange(Connection& connection,
                                               const http::request<http::string_body>& message,
                                               const Limits& limits) {
    RETURN_IF_ERROR(connection.Write(message, limits));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxResponse);
    const beast::error_code ec = connection.Await(limits, [&](auto& stream, auto done) {
      http::async_read(stream, connection.buffer(), parser, done);
    });
    if (ec || !parser.keep_alive()) {
      connection.SpoilForReuse();
    }
    RETURN_IF_ERROR(Connection::ToStatus(ec, limits, "receive"));
    auto answer = parser.release();
    return HttpResponse{static_cast<int>(answer.result_int()), std::move(answer.body()),
                        RetryAfterOf(answer)};
  }

  std::unique_ptr<Connection> TakeIdle() {
    for (;;) {
      std::unique_ptr<Connection> connection;
      {
        const MutexLock lock(mu_);
        if (idle_.empty()) {
          return nullptr;
        }
        connection =
            std::move(idle_.back());  // The one used last is the least likely to be closed.
        idle_.pop_back();
      }
      const auto age = std::chrono::steady_clock::now() - connection->idle_since();
      if (absl::FromChrono(age) < options_.idle_timeout && !connection->IsStale()) {
        return connection;
      }
    }
  }

  void Keep(std::unique_ptr<Connection> connection) {
    if (!connection->reusable()) {
      return;
    }
    connection->SetIdle(std::chrono::steady_clock::now());
    const MutexLock lock(mu_);
    if (idle_.size() < options_.max_idle) {
      idle_.push_back(std::move(connection));
    }
  }

  const ClusterConfig config_;
  const BeastTransportOptions options_;
  TokenSource token_;
  std::optional<ssl::context> tls_;
  absl::Status setup_;
  Mutex mu_;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<HttpTransport> NewBeastTransport(ClusterConfig config,
                                                 BeastTransportOptions options) {
  return std::make_unique<BeastTransport>(std::move(config), std::move(options));
}

}  // namespace korder::kube
