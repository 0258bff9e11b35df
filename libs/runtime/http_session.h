// One connection of HttpServer. Private to http_server.cc, the only file that includes it.
//
// A session lives on the server's one I/O thread and holds itself alive through the handler of the
// operation it waits for: wait for bytes -> read header -> (is there room for a large body?) ->
// read body -> (may one more handler wait?) -> handler on a worker thread -> write -> wait again.
// Every wait has a deadline.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "runtime/http_server.h"

namespace korder::runtime::internal {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace net = boost::asio;
namespace ssl = boost::asio::ssl;
using tcp = boost::asio::ip::tcp;
using Error = boost::system::error_code;

class HttpSession {
 public:
  virtual ~HttpSession() = default;
  // The server is stopping: ends now unless a request is under way.
  virtual void Drain() = 0;
  // Ends now.
  virtual void Drop() = 0;
};

// What a session needs of its server. I/O thread only.
class HttpSessionHost {
 public:
  virtual ~HttpSessionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  // The server is stopping: no answer keeps its connection.
  virtual bool draining() const = 0;
  // And nobody is waited for any more.
  virtual bool closing() const = 0;
  virtual void Opened(HttpSession* session) = 0;
  // Its first request is complete.
  virtual void Asked(HttpSession* session) = 0;
  virtual void Closed(HttpSession* session) = 0;
  // True when there is room for a large body of this size; given back with FreeBody.
  virtual bool ReserveBody(size_t bytes) = 0;
  virtual void FreeBody(size_t bytes) = 0;
  // True when one more request may be under way; each true is answered by one Release.
  virtual bool Admit() = 0;
  virtual void Release() = 0;
  // Runs the handler on a worker, then `done` on the I/O thread.
  virtual void Handle(HttpServerRequest request, std::function<void(HttpServerResponse)> done) = 0;
};

inline std::chrono::nanoseconds ToChrono(absl::Duration d) { return absl::ToChronoNanoseconds(d); }

// Stream is beast::tcp_stream or beast::ssl_stream<beast::tcp_stream>.
template <class Stream>
class StreamSession final : public HttpSession,
                            public std::enable_shared_from_this<StreamSession<Stream>> {
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

 public:
  // `context` is what the stream refers to; null without TLS.
  StreamSession(HttpSessionHost& host, std::shared_ptr<ssl::context> context, Stream stream)
      : host_(host),
        context_(std::move(context)),
        stream_(std::move(stream)),
        handler_timer_(stream_.get_executor()) {
    host_.Opened(this);
  }
  ~StreamSession() override {
    if (admitted_) {
      host_.Release();
    }
    host_.FreeBody(reserved_);
    host_.Closed(this);
  }

  void Start() {
    if constexpr (kTls) {
      Expire(host_.options().request_timeout);
      stream_.async_handshake(ssl::stream_base::server, [self = Self()](Error ec) {
        if (!ec) {
          self->WaitForRequest();
        }
      });
    } else {
      WaitForRequest();
    }
  }

  void Drain() override {
    if (waiting_) {
      Drop();
    }
  }
  void Drop() override {
    handler_timer_.cancel();
    Error ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }

 private:
  std::shared_ptr<StreamSession> Self() { return this->shared_from_this(); }
  void Expire(absl::Duration after) {
    beast::get_lowest_layer(stream_).expires_after(ToChrono(after));
  }

  // Between requests the idle limit holds; from the first byte on, the shorter request limit, so a
  // client that sends its header byte by byte does not keep a connection.
  void WaitForRequest() {
    if (host_.closing()) {
      return Close();
    }
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(host_.options().max_header));
    parser_->body_limit(host_.options().max_body);
    if (buffer_.size() > 0) {
      return ReadHeader();
    }
    waiting_ = true;
    Expire(host_.options().idle_timeout);
    stream_.async_read_some(buffer_.prepare(4096), [self = Self()](Error ec, size_t n) {
      self->waiting_ = false;
      if (ec) {
        return self->Close();
      }
      self->buffer_.commit(n);
      self->ReadHeader();
    });
  }

  void ReadHeader() {
    Expire(host_.options().request_timeout);
    http::async_read_header(stream_, buffer_, *parser_, [self = Self()](Error ec, size_t) {
      if (ec) {
        return self->Refuse(ec);
      }
      if (!self->ReserveBody()) {
        self->unread_ = true;
        return self->RespondAndClose(TooMany());
      }
      self->ContinueThenReadBody();
    });
  }

  // A body whose size is not told may be as large as any.
  bool ReserveBody() {
    const size_t size = parser_->chunked() ? host_.options().max_body
                                           : std::min<size_t>(parser_->content_length().value_or(0),
                                                              host_.options().max_body);
    if (size <= host_.options().small_body) {
      return true;
    }
    const bool has_room = host_.ReserveBody(size);
    reserved_ = has_room ? size : 0;
    return has_room;
  }
  void FreeBody() { host_.FreeBody(std::exchange(reserved_, 0)); }

  void ContinueThenReadBody() {
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      return ReadBody();
    }
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(stream_, net::buffer(kContinue.data(), kContinue.size()),
                     [self = Self()](Error ec, size_t) {
                       if (!ec) {
                         self->ReadBody();
                       }
                     });
  }

  void ReadBody() {
    http::async_read(stream_, buffer_, *parser_, [self = Self()](Error ec, size_t) {
      if (ec) {
        return self->Refuse(ec);
      }
      self->Handle();
    });
  }

  void Handle() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    if (!std::exchange(asked_, true)) {
      host_.Asked(this);
    }
    admitted_ = host_.Admit();
    if (!admitted_) {
      FreeBody();
      return Respond(TooMany());
    }
    answered_ = false;
    handler_timer_.expires_after(ToChrono(host_.options().request_timeout));
    handler_timer_.async_wait([self = Self()](Error ec) {
      if (!ec && !self->answered_) {
        self->answered_ = true;
        self->RespondAndClose({503, "text/plain; charset=utf-8", "the handler took too long\n"});
      }
    });
    host_.Handle(
        {std::string(message.method_string()), std::string(message.target()),
         std::move(message.body())},
        [self = Self()](HttpServerResponse response) { self->Handled(std::move(response)); });
  }

  void Handled(HttpServerResponse response) {
    // The place is free only now: a handler that was answered for with 503 still took it.
    admitted_ = false;
    host_.Release();
    FreeBody();
    if (answered_) {
      return;
    }
    answered_ = true;
    handler_timer_.cancel();
    Respond(std::move(response));
  }

  // Answers what could not be read, if there is anything to say about it.
  void Refuse(Error ec) {
    unread_ = true;
    if (ec == http::error::body_limit) {
      RespondAndClose({413, "text/plain; charset=utf-8", "the body is too large\n"});
    } else if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
      RespondAndClose({431, "text/plain; charset=utf-8", "the header is too large\n"});
    } else if (ec != http::error::end_of_stream && ec != http::error::partial_message &&
               ec.category() == http::make_error_code(http::error::bad_method).category()) {
      RespondAndClose({400, "text/plain; charset=utf-8", "not a valid HTTP/1.1 request\n"});
    } else {
      Close();
    }
  }

  static HttpServerResponse TooMany() {
    return {429, "text/plain; charset=utf-8", "too many requests\n"};
  }

  void RespondAndClose(HttpServerResponse response) {
    keep_alive_ = false;
    Respond(std::move(response));
  }

  void Respond(HttpServerResponse response) {
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(response.status));
    response_.set(http::field::content_type, response.content_type);
    if (response.status == 429 || response.status == 503) {
      response_.set(http::field::retry_after, "1");
    }
    response_.keep_alive(keep_alive_ && !host_.draining());
    response_.content_length(response.body.size());
    if (!head_) {
      response_.body() = std::move(response.body);
    }
    Expire(host_.options().request_timeout);
    http::async_write(stream_, response_, [self = Self()](Error ec, size_t) {
      if (ec) {
        return self->Drop();
      }
      if (self->response_.need_eof() || !self->response_.keep_alive()) {
        return self->Close();
      }
      self->WaitForRequest();
    });
  }

  // Says goodbye. After a refusal reads for a moment what the client still sends: closing a socket
  // with unread bytes makes the kernel reset the connection, and the client would lose the 413.
  void Close() {
    if (!beast::get_lowest_layer(stream_).socket().is_open()) {
      return;
    }
    Expire(absl::Seconds(2));
    if constexpr (kTls) {
      stream_.async_shutdown([self = Self()](Error) { self->Linger(); });
    } else {
      Linger();
    }
  }
  void Linger() {
    Error ignored;
    beast::get_lowest_layer(stream_).socket().shutdown(tcp::socket::shutdown_send, ignored);
    unread_ ? Discard() : Drop();
  }
  void Discard() {
    beast::get_lowest_layer(stream_).async_read_some(net::buffer(discarded_),
                                                     [self = Self()](Error ec, size_t) {
                                                       if (!ec) {
                                                         self->Discard();
                                                       }
                                                     });
  }

  HttpSessionHost& host_;
  const std::shared_ptr<ssl::context> context_;  // outlives the stream that refers to it
  Stream stream_;
  net::steady_timer handler_timer_;
  beast::flat_buffer buffer_;  // carries pipelined bytes from one request to the next
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::array<char, 4096> discarded_;
  bool waiting_ = false;     // between requests
  bool asked_ = false;       // for anything yet
  bool admitted_ = false;    // counted by the host
  size_t reserved_ = 0;      // bytes of a large body, counted by the host
  bool answered_ = true;     // the current request has its answer, or is getting it
  bool unread_ = false;      // the client may still be sending a request that was refused
  bool keep_alive_ = false;  // as the client asked
  bool head_ = false;
};

}  // namespace korder::runtime::internal
