// A blocking HTTP/1.1 client on one loopback connection, for tests of servers.
//
//   TestHttpClient client(server.port());            // or (port, ca) for TLS
//   CHECK(client.Do("GET", "/healthz").status == 200);
//   CHECK(client.Do("GET", "/healthz").status == 200);   // the same connection
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace korder::runtime {

struct TestHttpResponse {
  int status = 0;  // 0: the connection ended without an answer
  std::string body;
  std::string content_type;
  std::string retry_after;
  bool keep_alive = false;
};

class TestHttpClient {
 public:
  // Connects to 127.0.0.1. With a CA, speaks TLS to "localhost"; throws when the handshake fails.
  explicit TestHttpClient(int port, const std::string& ca = "");
  ~TestHttpClient();

  TestHttpResponse Do(std::string_view method, std::string_view target, std::string body = "");
  // The two halves of Do; `bytes` go out as they are.
  void Send(std::string_view bytes);
  TestHttpResponse Receive();
  // Waits until the server closes the connection.
  bool ClosedByServer();

  // Of the server's certificate.
  std::string PeerCommonName() const;
  std::string TlsVersion() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
