// One HTTP/1.1 connection to the API server. Private to the transport: includes Boost.
//
// Beast's synchronous calls know neither deadlines nor cancellation, so every operation is an
// asynchronous one that is run to completion on the connection's own io_context.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/clock.h"
#include "base/status.h"
#include "kube/cluster_config.h"

namespace korder::kube {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace ssl = net::ssl;

// Until when an operation may take, and what may end it earlier.
struct Limits {
  MonoTime deadline;
  std::stop_token stop;
};

// Not thread-safe.
class Connection {
 public:
  // `context` is null for plain HTTP. Borrows it.
  explicit Connection(ssl::context* context);

  absl::Status Connect(const ClusterConfig& config, const Limits& limits);
  absl::Status Write(const http::request<http::string_body>& request, const Limits& limits);

  // Reads with one of Beast's operations: `op(stream, buffer, handler)`.
  template <class Op>
  beast::error_code Await(const Limits& limits, Op op) {
    beast::error_code result = net::error::would_block;
    ioc_.restart();
    Lowest().expires_at(limits.deadline);
    const auto done = [&result](beast::error_code ec, auto&&...) { result = ec; };
    if (tls_) {
      op(*tls_, done);
    } else {
      op(*plain_, done);
    }
    {
      const std::stop_callback cancel(limits.stop,
                                      [this] { net::post(ioc_, [this] { Lowest().cancel(); }); });
      ioc_.run();
    }
    if (limits.stop.stop_requested()) {
      reusable_ = false;  // A cancellation may still stand in the queue.
    }
    return result;
  }

  beast::flat_buffer& buffer() { return buffer_; }
  // False once anything went wrong or the server wants to close.
  bool reusable() const { return reusable_; }
  void SpoilForReuse() { reusable_ = false; }
  // True when the server has closed the kept connection, or sent what nobody asked for.
  bool IsStale();
  MonoTime idle_since() const { return idle_since_; }
  void SetIdle(MonoTime now) { idle_since_ = now; }

  // UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED for what Await returned; OK for no error.
  static absl::Status ToStatus(beast::error_code ec, const Limits& limits, std::string_view what);

 private:
  beast::tcp_stream& Lowest() { return tls_ ? tls_->next_layer() : *plain_; }

  net::io_context ioc_{1};
  std::optional<beast::tcp_stream> plain_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls_;
  beast::flat_buffer buffer_;
  bool reusable_ = true;
  MonoTime idle_since_;
};

}  // namespace korder::kube
