#include "runtime/testing/test_http_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace korder::runtime {
namespace {

namespace http = boost::beast::http;
namespace net = boost::asio;
namespace ssl = boost::asio::ssl;
using tcp = boost::asio::ip::tcp;
using Error = boost::system::error_code;

}  // namespace

struct TestHttpClient::Impl {
  template <class Use>
  auto With(Use use) {
    return secure ? use(stream) : use(stream.next_layer());
  }

  net::io_context io;
  ssl::context context{ssl::context::tls_client};
  ssl::stream<tcp::socket> stream{io, context};
  bool secure = false;
  boost::beast::flat_buffer buffer;
};

TestHttpClient::TestHttpClient(int port, const std::string& ca) : impl_(std::make_unique<Impl>()) {
  tcp::socket& socket = impl_->stream.next_layer();
  socket.connect({net::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  const timeval limit = {.tv_sec = 10, .tv_usec = 0};  // a test fails rather than hangs
  setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (ca.empty()) {
    return;
  }
  impl_->secure = true;
  SSL_CTX* context = SSL_get_SSL_CTX(impl_->stream.native_handle());
  impl_->context.add_certificate_authority(net::buffer(ca));
  SSL_set1_verify_cert_store(impl_->stream.native_handle(), SSL_CTX_get_cert_store(context));
  impl_->stream.set_verify_mode(ssl::verify_peer);
  impl_->stream.set_verify_callback(ssl::host_name_verification("localhost"));
  impl_->stream.handshake(ssl::stream_base::client);
}

TestHttpClient::~TestHttpClient() = default;

TestHttpResponse TestHttpClient::Do(std::string_view method, std::string_view target,
                                    std::string body) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(http::field::host, "localhost");
  request.body() = std::move(body);
  request.prepare_payload();
  // The server may answer, and stop reading, before it has all of the request.
  Error ignored;
  impl_->With([&](auto& stream) { return http::write(stream, request, ignored); });
  return Receive();
}

void TestHttpClient::Send(std::string_view bytes) {
  impl_->With([&](auto& s) { return net::write(s, net::buffer(bytes.data(), bytes.size())); });
}

TestHttpResponse TestHttpClient::Receive() {
  http::response<http::string_body> response;
  Error ec;
  impl_->With([&](auto& stream) { return http::read(stream, impl_->buffer, response, ec); });
  if (ec) {
    return {};
  }
  const auto type = response[http::field::content_type];
  return {.status = static_cast<int>(response.result_int()),
          .body = response.body(),
          .content_type = std::string(type.data(), type.size()),
          .retry_after = std::string(response[http::field::retry_after]),
          .keep_alive = response.keep_alive()};
}

bool TestHttpClient::ClosedByServer() {
  char byte = 0;
  Error ec;
  impl_->With([&](auto& stream) { return stream.read_some(net::buffer(&byte, 1), ec); });
  return ec == net::error::eof || ec == net::error::connection_reset ||
         ec == ssl::error::stream_truncated;
}

std::string TestHttpClient::PeerCommonName() const {
  X509* certificate = SSL_get1_peer_certificate(impl_->stream.native_handle());
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

std::string TestHttpClient::TlsVersion() const {
  return SSL_get_version(impl_->stream.native_handle());
}

}  // namespace korder::runtime
