#include "runtime/http_server.h"

#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/ip/v6_only.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "runtime/http_session.h"
#include "runtime/thread_name.h"
#include "runtime/tls_check.h"

namespace korder::runtime {

using namespace internal;  // NOLINT(google-build-using-namespace): this file's own other half.

namespace {

using PlainSession = StreamSession<beast::tcp_stream>;
using TlsSession = StreamSession<beast::ssl_stream<beast::tcp_stream>>;

// TLS 1.2 with forward secrecy and authenticated encryption, or TLS 1.3.
constexpr char kTls12Ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

absl::StatusOr<std::shared_ptr<ssl::context>> NewTlsContext(const TlsMaterial& tls) {
  RETURN_IF_ERROR(CheckTls(tls));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_cipher_list(context->native_handle(), kTls12Ciphers);
  Error ec;
  context->use_certificate_chain(net::buffer(tls.certificate), ec);
  if (!ec) {
    context->use_private_key(net::buffer(tls.key), ssl::context::pem, ec);
  }
  if (ec) {
    return InvalidArgumentError(absl::StrCat("tls: ", ec.message()));
  }
  return context;
}

// "0.0.0.0:8080", "[::1]:8080", "localhost:8080", ":8080".
absl::StatusOr<tcp::endpoint> ParseListen(net::io_context& io, const std::string& listen) {
  const size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &port) ||
      port < 0 || port > 65535) {
    return InvalidArgumentError(absl::StrCat("listen on ", listen, ": want host:port"));
  }
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) {
    return tcp::endpoint(tcp::v6(), static_cast<unsigned short>(port));
  }
  Error ec;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  if (ec || found.empty()) {
    return InvalidArgumentError(absl::StrCat("listen on ", listen, ": ", ec.message()));
  }
  return found.begin()->endpoint();
}

}  // namespace

struct HttpServer::Impl final : public HttpSessionHost {
  Impl(HttpServerOptions o, HttpHandler h) : opts(std::move(o)), handler(std::move(h)) {}

  absl::Status Start();
  absl::Status Run(std::stop_token stop);
  void Accept();
  void Accepted(Error ec, tcp::socket socket);
  bool MakeRoom();
  void TakeLeave();
  void Shutdown();
  HttpServerResponse Call(const HttpServerRequest& request) const;

  // --- HttpSessionHost, I/O thread only ---
  const HttpServerOptions& options() const override { return opts; }
  bool draining() const override { return is_draining; }
  bool closing() const override { return is_closing; }
  void Opened(HttpSession* session) override {
    sessions.insert(session);
    strangers.push_back(session);
  }
  void Asked(HttpSession* session) override { std::erase(strangers, session); }
  void Closed(HttpSession* session) override {
    sessions.erase(session);
    std::erase(strangers, session);
    if (is_closing && sessions.empty()) {
      drain_timer.cancel();
    }
  }
  bool ReserveBody(size_t bytes) override {
    if (bytes > opts.max_bodies - reserved) {
      return false;
    }
    reserved += bytes;
    return true;
  }
  void FreeBody(size_t bytes) override { reserved -= bytes; }
  bool Admit() override {
    if (under_way >= opts.max_concurrent) {
      return false;
    }
    ++under_way;
    return true;
  }
  void Release() override { --under_way; }
  void Handle(HttpServerRequest request, std::function<void(HttpServerResponse)> done) override;

  const HttpServerOptions opts;
  const HttpHandler handler;

  Mutex mu;
  std::shared_ptr<ssl::context> tls ABSL_GUARDED_BY(mu);  // shared with the sessions that use it

  // I/O thread only. No session outlives Run.
  std::unordered_set<HttpSession*> sessions;
  std::vector<HttpSession*> strangers;  // of them, those that never sent a request; oldest first
  int under_way = 0;
  size_t reserved = 0;
  bool is_draining = false;
  bool is_closing = false;
  absl::Time told_full = absl::InfinitePast();
  int bound_port = 0;
  net::io_context work;  // runs handlers, on several threads
  net::io_context io{1};
  tcp::acceptor acceptor{io};
  net::steady_timer accept_timer{io};
  net::steady_timer drain_timer{io};
};

absl::Status HttpServer::Impl::Start() {
  if (!opts.tls.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<ssl::context> context, NewTlsContext(opts.tls));
    const MutexLock lock(mu);
    tls = std::move(context);
  }
  ASSIGN_OR_RETURN(const tcp::endpoint endpoint, ParseListen(io, opts.listen));
  Error ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) {
    // A restarted service takes its port back at once; two live ones still cannot share it.
    acceptor.set_option(net::socket_base::reuse_address(true), ec);
  }
  if (!ec && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(net::ip::v6_only(false), ec);
  }
  if (!ec) {
    acceptor.bind(endpoint, ec);
  }
  if (!ec) {
    acceptor.listen(net::socket_base::max_listen_connections, ec);
  }
  if (ec) {
    return UnavailableError(absl::StrCat("listen on ", opts.listen, ": ", ec.message()));
  }
  bound_port = acceptor.local_endpoint().port();
  return absl::OkStatus();
}

absl::Status HttpServer::Impl::Run(std::stop_token stop) {
  auto keep_working = net::make_work_guard(work);
  std::vector<std::jthread> workers;
  workers.reserve(static_cast<size_t>(opts.threads));
  for (int i = 0; i < opts.threads; ++i) {
    workers.emplace_back([this] {
      SetThreadName("http-handler");
      work.run();
    });
  }
  Accept();
  {
    const std::stop_callback on_stop(stop, [this] { net::post(io, [this] { TakeLeave(); }); });
    io.run();  // returns when the acceptor is closed and the last session and handler are gone
  }
  keep_working.reset();
  workers.clear();  // joins
  return absl::OkStatus();
}

void HttpServer::Impl::Accept() {
  acceptor.async_accept([this](Error ec, tcp::socket socket) { Accepted(ec, std::move(socket)); });
}

void HttpServer::Impl::Accepted(Error ec, tcp::socket socket) {
  if (is_closing || ec == net::error::operation_aborted) {
    return;
  }
  if (ec) {
    // Out of file descriptors, most likely: some will be free again soon.
    log::Warn("accept failed", {{"listen", opts.listen}, {"error", ec.message()}});
    accept_timer.expires_after(std::chrono::milliseconds(100));
    accept_timer.async_wait([this](Error cancelled) {
      if (!cancelled) {
        Accept();
      }
    });
    return;
  }
  if (MakeRoom()) {
    Error ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::shared_ptr<ssl::context> context;
    {
      const MutexLock lock(mu);
      context = tls;
    }
    beast::tcp_stream stream(std::move(socket));
    if (context) {
      beast::ssl_stream<beast::tcp_stream> secure(std::move(stream), *context);
      std::make_shared<TlsSession>(*this, context, std::move(secure))->Start();
    } else {
      std::make_shared<PlainSession>(*this, nullptr, std::move(stream))->Start();
    }
  }
  Accept();
}

// For one more connection, by the end of the oldest that never asked for anything if need be: a
// flood of those would otherwise keep out everybody who comes after it. False when there is none.
bool HttpServer::Impl::MakeRoom() {
  if (sessions.size() < static_cast<size_t>(opts.max_connections)) {
    return true;
  }
  if (const absl::Time now = absl::Now(); now - told_full >= absl::Seconds(1)) {
    told_full = now;  // Whoever floods the server must not flood its log.
    log::Warn("connections dropped: too many are open", {{"listen", opts.listen}});
  }
  if (strangers.empty()) {
    return false;
  }
  HttpSession* const oldest = strangers.front();
  strangers.erase(strangers.begin());
  oldest->Drop();
  return true;
}

// Goes on as before, but for what answers say of their connections.
void HttpServer::Impl::TakeLeave() {
  is_draining = true;
  if (sessions.empty() || opts.farewell <= absl::ZeroDuration()) {
    return Shutdown();
  }
  drain_timer.expires_after(ToChrono(opts.farewell));
  drain_timer.async_wait([this](Error) { Shutdown(); });
}

void HttpServer::Impl::Shutdown() {
  is_closing = true;
  Error ignored;
  acceptor.close(ignored);
  accept_timer.cancel();
  for (HttpSession* session : sessions) {
    session->Drain();
  }
  if (sessions.empty()) {
    return;
  }
  drain_timer.expires_after(ToChrono(opts.request_timeout));
  drain_timer.async_wait([this](Error cancelled) {
    if (!cancelled) {
      log::Warn("connections cut off at the end of the grace period",
                {{"listen", opts.listen}, {"connections", sessions.size()}});
      for (HttpSession* session : sessions) {
        session->Drop();
      }
    }
  });
}

void HttpServer::Impl::Handle(HttpServerRequest request,
                              std::function<void(HttpServerResponse)> done) {
  // The guard keeps io.run() from returning while the answer is on its way.
  net::post(work, [this, request = std::move(request), done = std::move(done),
                   guard = net::make_work_guard(io)]() mutable {
    // The session must die on the I/O thread: `done` holds it and moves there.
    net::post(io, [response = Call(request), done = std::move(done)]() mutable {
      done(std::move(response));
    });
  });
}

HttpServerResponse HttpServer::Impl::Call(const HttpServerRequest& request) const {
  try {
    return handler(request);
  } catch (const std::exception& e) {
    log::Error("http handler failed", {{"target", request.target}, {"error", e.what()}});
    return {500, "text/plain; charset=utf-8", "internal error\n"};
  }
}

HttpServer::HttpServer(HttpServerOptions options, HttpHandler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

absl::Status HttpServer::Start() { return impl_->Start(); }

int HttpServer::port() const { return impl_->bound_port; }

absl::Status HttpServer::Run(std::stop_token stop) { return impl_->Run(std::move(stop)); }

void HttpServer::SetTls(const TlsMaterial& tls) {
  absl::StatusOr<std::shared_ptr<ssl::context>> context = NewTlsContext(tls);
  if (!context.ok()) {
    log::Error("new certificate refused", {{"error", ToString(context.status())}});
    return;
  }
  const MutexLock lock(impl_->mu);
  impl_->tls = *std::move(context);
}

}  // namespace korder::runtime
