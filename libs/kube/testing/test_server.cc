#include "kube/testing/test_server.h"

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace korder::kube {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio Memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

X509Ptr ReadCertificate(const std::string& pem) {
  return {PEM_read_bio_X509(Memory(pem).get(), nullptr, nullptr, nullptr), X509_free};
}

Context NewContext(const TestServer::Tls& tls) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_use_certificate(context.get(), ReadCertificate(tls.identity.certificate).get());
  const KeyPtr key(
      PEM_read_bio_PrivateKey(Memory(tls.identity.key).get(), nullptr, nullptr, nullptr),
      EVP_PKEY_free);
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  if (!tls.client_ca.empty()) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                        ReadCertificate(tls.client_ca).get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

size_t ContentLength(const std::string& head) {
  constexpr std::string_view kName = "Content-Length: ";
  const size_t at = head.find(kName);
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + kName.size(), nullptr, 10);
}

class SocketPeer final : public TestServer::Peer {
 public:
  SocketPeer(int socket, int number) : socket_(socket), number_(number) {}
  ~SocketPeer() override { Close(); }

  // False when the client does not like us, or we it.
  bool Handshake(SSL_CTX* context) {
    session_.reset(SSL_new(context));
    SSL_set_fd(session_.get(), socket_);
    return SSL_accept(session_.get()) == 1;
  }

  int number() const override { return number_; }

  std::optional<std::string> ReadRequest() override {
    for (;;) {
      const size_t end = buffer_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const size_t size = end + 4 + ContentLength(buffer_.substr(0, end));
        if (buffer_.size() >= size) {
          std::string request = buffer_.substr(0, size);
          buffer_.erase(0, size);
          return request;
        }
      }
      if (!ReadMore()) {
        return std::nullopt;
      }
    }
  }

  void Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto count = session_ ? static_cast<ssize_t>(SSL_write(session_.get(), bytes.data(),
                                                                   static_cast<int>(bytes.size())))
                                  : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  void AwaitClose() override {
    while (ReadMore()) {
    }
  }

  void Close() override {
    const MutexLock lock(mu_);
    if (socket_ >= 0) {
      ::close(socket_);
      socket_ = -1;
    }
  }

  // From another thread: ends what the script waits for.
  void Shutdown() {
    const MutexLock lock(mu_);
    if (socket_ >= 0) {
      ::shutdown(socket_, SHUT_RDWR);
    }
  }

 private:
  bool ReadMore() {
    char bytes[16384];
    const auto count = session_
                           ? static_cast<ssize_t>(SSL_read(session_.get(), bytes, sizeof(bytes)))
                           : ::recv(socket_, bytes, sizeof(bytes), 0);
    if (count <= 0) {
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(count));
    return true;
  }

  Mutex mu_;
  int socket_;
  const int number_;
  Session session_{nullptr, SSL_free};
  std::string buffer_;
};

}  // namespace

struct TestServer::Impl {
  void Accept() {
    for (;;) {
      const int socket = ::accept(listener, nullptr, nullptr);
      const MutexLock lock(mu);
      if (socket < 0 || stopping) {
        ::close(socket);
        return;
      }
      SocketPeer& peer =
          *peers.emplace_back(std::make_unique<SocketPeer>(socket, connections.load()));
      ++connections;
      threads.emplace_back([this, &peer] {
        if (!context || peer.Handshake(context.get())) {
          script(peer);
        }
        peer.Close();
      });
    }
  }

  Script script;
  Context context{nullptr, SSL_CTX_free};
  bool tls = false;
  int listener = -1;
  int port = 0;
  std::atomic<int> connections = 0;
  Mutex mu;
  bool stopping ABSL_GUARDED_BY(mu) = false;
  std::vector<std::unique_ptr<SocketPeer>> peers ABSL_GUARDED_BY(mu);
  std::vector<std::jthread> threads ABSL_GUARDED_BY(mu);
  std::jthread acceptor;
};

TestServer::TestServer(Script script, std::optional<Tls> tls) : impl_(std::make_unique<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);  // SSL_write knows no MSG_NOSIGNAL.
  impl_->script = std::move(script);
  impl_->tls = tls.has_value();
  if (tls) {
    impl_->context = NewContext(*tls);
  }
  impl_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(impl_->listener, generic, size) != 0 || ::listen(impl_->listener, 128) != 0 ||
      ::getsockname(impl_->listener, generic, &size) != 0) {
    std::abort();  // A test cannot go on without.
  }
  impl_->port = ntohs(address.sin_port);
  impl_->acceptor = std::jthread([impl = impl_.get()] { impl->Accept(); });
}

TestServer::~TestServer() {
  {
    const MutexLock lock(impl_->mu);
    impl_->stopping = true;
    for (const auto& peer : impl_->peers) {
      peer->Shutdown();
    }
  }
  ::shutdown(impl_->listener, SHUT_RDWR);
  impl_->acceptor.join();
  ::close(impl_->listener);
  std::vector<std::jthread> threads;
  {
    const MutexLock lock(impl_->mu);
    threads.swap(impl_->threads);
  }
}

int TestServer::port() const { return impl_->port; }
int TestServer::connections() const { return impl_->connections.load(); }

ClusterConfig TestServer::Config() const {
  return {.host = "127.0.0.1", .port = std::to_string(impl_->port), .tls = impl_->tls};
}

}  // namespace korder::kube
