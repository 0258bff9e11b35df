#include "kube/beast_connection.h"

#include <limits>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::kube {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using net::ip::tcp;
using Error = boost::system::error_code;

constexpr size_t kReadSize = 64 << 10;
constexpr size_t kMaxHeader = 64 << 10;

// Lets the kernel notice a peer that vanished: probes after 10 s of silence, gives up 15 s later,
// and gives up unacknowledged data after 20 s.
void DetectDeadPeers(int socket) {
  const auto set = [socket](int level, int name, int value) {
    ::setsockopt(socket, level, name, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 20'000);
}

}  // namespace

// Beast's and Asio's synchronous calls know neither deadlines nor cancellation, so every operation
// is an asynchronous one that is run to completion on the connection's own io_context.
struct Connection::Impl {
  using Tls = net::ssl::stream<tcp::socket&>;
  using Parser = http::response_parser<http::string_body>;

  explicit Impl(SSL_CTX* context) : tls_context(context) {}

  // Runs what `start(handler)` begins. A stop or the deadline closes the socket, which ends the
  // operation, and is reported instead of the error that this caused.
  template <class Start>
  absl::Status Await(std::string_view what, const Limits& limits, Start start) {
    last_error = net::error::operation_aborted;
    if (limits.stop.stop_requested()) {
      return Stopped(what);
    }
    bool done = false;
    Error error;
    io.restart();
    transferred = 0;
    start([&](Error e, auto... result) {
      error = e;
      transferred = Transferred(result...);
      done = true;
    });
    {
      const std::stop_callback wake(limits.stop, [this] { io.stop(); });
      io.run_until(limits.deadline);
    }
    if (done) {
      last_error = error;
      return error ? UnavailableError(absl::StrCat(std::string(what), ": ", error.message()))
                   : absl::OkStatus();
    }
    Error ignored;
    socket.close(ignored);
    io.restart();
    io.run();
    return limits.stop.stop_requested()
               ? Stopped(what)
               : DeadlineExceededError(absl::StrCat(std::string(what), ": timed out"));
  }
  static absl::Status Stopped(std::string_view what) {
    return CancelledError(absl::StrCat(std::string(what), ": stopped"));
  }

  // What an operation says besides the error: a number of bytes, an endpoint, or nothing.
  static size_t Transferred() { return 0; }
  static size_t Transferred(size_t bytes) { return bytes; }
  template <class T>
  static size_t Transferred(const T&) {
    return 0;
  }

  absl::Status Handshake(const ClusterConfig& config, const Limits& limits,
                         const std::string& what) {
    // Shares the context: Asio frees what it is given.
    SSL_CTX_up_ref(tls_context);
    net::ssl::context context(tls_context);
    tls.emplace(socket, context);
    const std::string& name = ServerName(config);
    Error not_an_address;
    net::ip::make_address(name, not_an_address);
    if (not_an_address) {  // Server name indication is for names only.
      SSL_set_tlsext_host_name(tls->native_handle(), name.c_str());
    }
    const absl::Status status = Await(what, limits, [&](auto handler) {
      tls->async_handshake(net::ssl::stream_base::client, std::move(handler));
    });
    const long verdict = SSL_get_verify_result(tls->native_handle());
    if (absl::IsUnavailable(status) && verdict != X509_V_OK) {
      return UnavailableError(absl::StrCat(std::string(Message(status)), " (",
                                           X509_verify_cert_error_string(verdict), ")"));
    }
    return status;
  }

  // Reads some bytes and parses all there are.
  absl::Status Advance(const Limits& limits) {
    const absl::Status read = Await("receive", limits, [&](auto handler) {
      const auto space = buffer.prepare(kReadSize);
      tls ? tls->async_read_some(space, std::move(handler))
          : socket.async_read_some(space, std::move(handler));
    });
    buffer.commit(transferred);
    received += transferred;
    if (last_error == net::error::eof) {
      return AtEof();
    }
    RETURN_IF_ERROR(read);
    return Parse();
  }

  absl::Status Parse() {
    while (buffer.size() > 0 && !parser->is_done()) {
      // Header and body in one go only once the header is accepted: an eager parser goes on to the
      // body after the header's error and forgets it.
      parser->eager(parser->is_header_done());
      Error error;
      const size_t used = parser->put(buffer.data(), error);
      buffer.consume(used);
      if (error == http::error::need_more) {
        break;
      }
      if (error) {
        return UnavailableError(absl::StrCat("malformed answer: ", error.message()));
      }
      if (parser->is_done() && parser->get().result_int() / 100 == 1) {
        NewParser();  // An interim answer: the real one follows.
      }
    }
    return absl::OkStatus();
  }

  // Without a length, the end of the connection is the end of the body; anywhere else it is a cut.
  absl::Status AtEof() {
    Error error;
    if (parser->got_some()) {
      parser->put_eof(error);
    }
    return parser->is_done() && !error
               ? absl::OkStatus()
               : UnavailableError("receive: the server closed the connection");
  }

  void NewParser() {
    parser.emplace();
    parser->header_limit(kMaxHeader);
    // "No limit" cannot be said: with boost::none, Beast 1.81 refuses every Content-Length.
    parser->body_limit(max_body.value_or(std::numeric_limits<uint64_t>::max()));
  }

  net::io_context io{1};
  tcp::socket socket{io};
  SSL_CTX* const tls_context;
  std::optional<Tls> tls;
  Error last_error;
  size_t transferred = 0;  // by the last operation

  beast::flat_buffer buffer;
  std::optional<Parser> parser;
  std::optional<size_t> max_body;
  size_t sent = 0;
  size_t received = 0;
};

Connection::Connection(SSL_CTX* tls) : impl_(std::make_unique<Impl>(tls)) {}
Connection::~Connection() = default;

absl::Status Connection::Connect(const ClusterConfig& config, const Limits& limits) {
  const std::string where = absl::StrCat(config.host, ":", config.port);
  tcp::resolver resolver(impl_->io);
  Error error;
  const auto endpoints = resolver.resolve(config.host, config.port, error);
  if (error) {
    return UnavailableError(absl::StrCat("resolve ", config.host, ": ", error.message()));
  }
  RETURN_IF_ERROR(impl_->Await("connect to " + where, limits, [&](auto handler) {
    net::async_connect(impl_->socket, endpoints, std::move(handler));
  }));
  impl_->socket.set_option(tcp::no_delay(true), error);
  DetectDeadPeers(impl_->socket.native_handle());
  if (impl_->tls_context == nullptr) {
    return absl::OkStatus();
  }
  return impl_->Handshake(config, limits, "TLS handshake with " + where);
}

absl::Status Connection::Send(std::string_view request, const Limits& limits) {
  impl_->parser.reset();
  impl_->sent = 0;
  impl_->received = 0;
  while (impl_->sent < request.size()) {
    const absl::Status status = impl_->Await("send", limits, [&](auto handler) {
      const auto rest = net::buffer(request.data() + impl_->sent, request.size() - impl_->sent);
      impl_->tls ? impl_->tls->async_write_some(rest, std::move(handler))
                 : impl_->socket.async_write_some(rest, std::move(handler));
    });
    impl_->sent += impl_->transferred;
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status Connection::ReadHead(std::optional<size_t> max_body, const Limits& limits) {
  impl_->max_body = max_body;
  impl_->NewParser();
  while (!impl_->parser->is_header_done()) {
    RETURN_IF_ERROR(impl_->Advance(limits));
  }
  return absl::OkStatus();
}

int Connection::status() const { return static_cast<int>(impl_->parser->get().result_int()); }

absl::Duration Connection::retry_after() const {
  const auto text = impl_->parser->get()[http::field::retry_after];
  int seconds = 0;
  return absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &seconds) && seconds > 0
             ? absl::Seconds(seconds)
             : absl::ZeroDuration();
}

absl::StatusOr<std::string> Connection::ReadBody(const Limits& limits) {
  while (!impl_->parser->is_done()) {
    RETURN_IF_ERROR(impl_->Advance(limits));
  }
  return std::move(impl_->parser->get().body());
}

absl::StatusOr<std::string> Connection::ReadPiece(const Limits& limits) {
  std::string& body = impl_->parser->get().body();
  while (body.empty() && !impl_->parser->is_done()) {
    RETURN_IF_ERROR(impl_->Advance(limits));
  }
  return std::exchange(body, {});
}

bool Connection::sent_anything() const { return impl_->sent > 0; }
bool Connection::received_anything() const { return impl_->received > 0; }

bool Connection::reusable() const {
  return impl_->parser && impl_->parser->is_done() && impl_->parser->keep_alive() &&
         impl_->buffer.size() == 0 && !impl_->last_error;
}

bool Connection::IsStale() const {
  // An idle server says nothing: whatever can be read is a close, or bytes nobody asked for. (TLS
  // session tickets come before the first answer and are read with it.)
  char byte = 0;
  const ssize_t count = ::recv(impl_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace korder::kube
