#include "runtime/testing/test_h2_client.h"

#include <array>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

namespace korder::runtime {
namespace {

namespace net = boost::asio;
namespace ssl = boost::asio::ssl;
using tcp = boost::asio::ip::tcp;
using Error = boost::system::error_code;

// RFC 9113, section 6.
enum class Frame : uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4 };
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint32_t kCancel = 8;

void PutNumber(std::string& out, uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

// HPACK, without Huffman codes or a table: RFC 7541, section 6.2.2.
void PutText(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size()));  // fewer than 127
  out += text;
}
void PutHeader(std::string& out, std::string_view name, std::string_view value) {
  out.push_back('\0');
  PutText(out, name);
  PutText(out, value);
}

}  // namespace

struct TestH2Client::Impl {
  void Put(Frame type, uint8_t flags, uint32_t on, std::string_view payload) {
    PutNumber(unsent, static_cast<uint32_t>(payload.size()), 3);
    unsent.push_back(static_cast<char>(type));
    unsent.push_back(static_cast<char>(flags));
    PutNumber(unsent, on, 4);
    unsent += payload;
  }

  net::io_context io;
  ssl::context context{ssl::context::tls_client};
  std::unique_ptr<ssl::stream<tcp::socket>> stream;
  std::string unsent;
  uint32_t next_stream = 1;
};

TestH2Client::TestH2Client(int port, const TlsMaterial& tls, uint32_t window)
    : impl_(std::make_unique<Impl>()) {
  impl_->context.add_certificate_authority(net::buffer(tls.ca));
  if (!tls.certificate.empty()) {
    impl_->context.use_certificate_chain(net::buffer(tls.certificate));
    impl_->context.use_private_key(net::buffer(tls.key), ssl::context::pem);
  }
  impl_->stream = std::make_unique<ssl::stream<tcp::socket>>(impl_->io, impl_->context);
  tcp::socket& socket = impl_->stream->next_layer();
  socket.connect({net::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  const timeval limit = {.tv_sec = 10, .tv_usec = 0};  // a test fails rather than hangs
  setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  constexpr std::array<unsigned char, 3> kProtocols = {2, 'h', '2'};
  SSL_set_alpn_protos(impl_->stream->native_handle(), kProtocols.data(), kProtocols.size());
  impl_->stream->set_verify_mode(ssl::verify_peer);
  impl_->stream->handshake(ssl::stream_base::client);
  impl_->unsent = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::string settings;
  PutNumber(settings, 4, 2);  // SETTINGS_INITIAL_WINDOW_SIZE
  PutNumber(settings, window, 4);
  impl_->Put(Frame::kSettings, 0, 0, settings);
}

TestH2Client::~TestH2Client() = default;

uint32_t TestH2Client::Begin(std::string_view method, std::string_view bearer_token) {
  const uint32_t stream = impl_->next_stream;
  impl_->next_stream += 2;
  std::string headers;
  PutHeader(headers, ":method", "POST");
  PutHeader(headers, ":scheme", "https");
  PutHeader(headers, ":path", method);
  PutHeader(headers, ":authority", "localhost");
  PutHeader(headers, "content-type", "application/grpc");
  PutHeader(headers, "te", "trailers");
  if (!bearer_token.empty()) {
    PutHeader(headers, "authorization", "Bearer " + std::string(bearer_token));
  }
  impl_->Put(Frame::kHeaders, kEndHeaders, stream, headers);
  return stream;
}

uint32_t TestH2Client::Call(std::string_view method, std::string_view bearer_token) {
  const uint32_t stream = Begin(method, bearer_token);
  impl_->Put(Frame::kData, kEndStream, stream, std::string(5, '\0'));  // a message of no bytes
  return stream;
}

void TestH2Client::Reset(uint32_t stream) {
  std::string code;
  PutNumber(code, kCancel, 4);
  impl_->Put(Frame::kReset, 0, stream, code);
}

bool TestH2Client::Flush() {
  Error ec;
  net::write(*impl_->stream, net::buffer(impl_->unsent), ec);
  impl_->unsent.clear();
  return !ec;
}

bool TestH2Client::Skim() {
  std::array<char, 16 << 10> bytes;
  pollfd ready{.fd = impl_->stream->next_layer().native_handle(), .events = POLLIN, .revents = 0};
  Error ec;
  while (!ec && (SSL_pending(impl_->stream->native_handle()) > 0 || poll(&ready, 1, 0) > 0)) {
    impl_->stream->read_some(net::buffer(bytes), ec);
  }
  return !ec;
}

}  // namespace korder::runtime
