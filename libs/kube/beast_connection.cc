#include "kube/beast_connection.h"

#include <boost/asio/ip/address.hpp>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::kube {

Connection::Connection(ssl::context* context) {
  if (context != nullptr) {
    tls_.emplace(ioc_, *context);
  } else {
    plain_.emplace(ioc_);
  }
}

absl::Status Connection::ToStatus(beast::error_code ec, const Limits& limits,
                                  std::string_view what) {
  if (!ec) {
    return absl::OkStatus();
  }
  if (limits.stop.stop_requested()) {
    return CancelledError(absl::StrCat(std::string(what), ": stopped"));
  }
  if (ec == beast::error::timeout || ec == net::error::would_block) {
    return DeadlineExceededError(absl::StrCat(std::string(what), ": timed out"));
  }
  return UnavailableError(absl::StrCat(std::string(what), ": ", ec.message()));
}

absl::Status Connection::Connect(const ClusterConfig& config, const Limits& limits) {
  const std::string where = absl::StrCat("connect to ", config.host, ":", config.port);
  net::ip::tcp::resolver resolver(ioc_);
  beast::error_code ec;
  const auto addresses = resolver.resolve(config.host, config.port, ec);
  RETURN_IF_ERROR(ToStatus(ec, limits, where));
  ec = Await(limits, [&](auto& stream, auto done) {
    beast::get_lowest_layer(stream).async_connect(addresses, done);
  });
  RETURN_IF_ERROR(ToStatus(ec, limits, where));
  beast::error_code ignored;
  Lowest().socket().set_option(net::ip::tcp::no_delay(true), ignored);
  if (!tls_) {
    return absl::OkStatus();
  }
  const std::string& name = config.tls_server_name.empty() ? config.host : config.tls_server_name;
  net::ip::make_address(name, ec);
  if (ec) {  // A name, not an address: say which certificate is wanted.
    SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str());
  }
  if (!config.insecure_skip_tls_verify) {
    tls_->set_verify_mode(ssl::verify_peer);
    tls_->set_verify_callback(ssl::host_name_verification(name));
  }
  beast::error_code handshake = net::error::would_block;
  ioc_.restart();
  Lowest().expires_at(limits.deadline);
  tls_->async_handshake(ssl::stream_base::client, [&](beast::error_code e) { handshake = e; });
  {
    const std::stop_callback cancel(limits.stop,
                                    [this] { net::post(ioc_, [this] { Lowest().cancel(); }); });
    ioc_.run();
  }
  return ToStatus(handshake, limits,
                  absl::StrCat("TLS handshake with ", config.host, ":", config.port));
}

absl::Status Connection::Write(const http::request<http::string_body>& request,
                               const Limits& limits) {
  const beast::error_code ec =
      Await(limits, [&](auto& stream, auto done) { http::async_write(stream, request, done); });
  if (ec) {
    reusable_ = false;
  }
  return ToStatus(ec, limits, "send");
}

bool Connection::IsStale() {
  beast::error_code ec;
  auto& socket = Lowest().socket();
  socket.non_blocking(true, ec);
  char byte = 0;
  socket.receive(net::buffer(&byte, 1), net::socket_base::message_peek, ec);
  // Nothing to read is what an idle connection looks like. TLS 1.3 session tickets are read with
  // the first answer, so later bytes mean a close-notify.
  return ec != net::error::would_block && ec != net::error::try_again;
}

}  // namespace korder::kube
