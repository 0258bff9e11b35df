#include "cli/dial.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

namespace korder::cli {
namespace {

// A socket that is closed in the end.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

bool Connects(const Socket& socket, const addrinfo& address, absl::Duration timeout) {
  if (connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) {
    return true;
  }
  if (errno != EINPROGRESS) {
    return false;
  }
  pollfd ready{.fd = socket.fd(), .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t size = sizeof(error);
  return poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) == 1 &&
         getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// From here on reads and writes wait, but no longer than that.
bool Block(const Socket& socket, absl::Duration timeout) {
  const timeval limit = absl::ToTimeval(timeout);
  return fcntl(socket.fd(), F_SETFL, 0) == 0 &&
         setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
         setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0;
}

bool Send(const Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// The bytes go through buffers of ours: OpenSSL itself would write to the socket in a way that ends
// the process when the other side has hung up.
bool ShakesHands(SSL* tls, const Socket& socket) {
  BIO* const incoming = BIO_new(BIO_s_mem());
  BIO* const outgoing = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, incoming, outgoing);  // owns them now
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const int result = SSL_connect(tls);
    int size = 0;
    while ((size = BIO_read(outgoing, buffer.data(), buffer.size())) > 0) {
      if (!Send(socket, {buffer.data(), static_cast<size_t>(size)})) {
        return false;
      }
    }
    if (result == 1 || SSL_get_error(tls, result) != SSL_ERROR_WANT_READ) {
      return result == 1;
    }
    const ssize_t got = recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      return false;
    }
    BIO_write(incoming, buffer.data(), static_cast<int>(got));
  }
}

bool ShowsCertificateFor(const std::string& name, const Socket& socket) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  if (context == nullptr) {
    return false;
  }
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  if (tls == nullptr || !ShakesHands(tls.get(), socket)) {
    return false;
  }
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      SSL_get1_peer_certificate(tls.get()), &X509_free);
  return certificate != nullptr &&
         X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1;
}

bool Answers(const addrinfo& address, const std::string& name, absl::Duration timeout) {
  const Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return socket.fd() >= 0 && Connects(socket, address, timeout) && Block(socket, timeout) &&
         ShowsCertificateFor(name, socket);
}

}  // namespace

bool Dial(const Endpoint& endpoint, const std::string& name, absl::Duration timeout) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found) !=
      0) {
    return false;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (Answers(*at, name, timeout)) {
      return true;
    }
  }
  return false;
}

}  // namespace korder::cli
