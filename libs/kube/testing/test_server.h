// A server on loopback whose every byte a test decides, in the open or over TLS.
//
//   TestServer server([](TestServer::Peer& peer) {
//     while (peer.ReadRequest()) {
//       peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//     }
//   });
//   const auto transport = NewBeastTransport(server.Config());
//
// The script runs once for each connection, on a thread of its own; when it returns, the connection
// is closed. The destructor ends them all.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kube/cluster_config.h"
#include "kube/testing/test_ca.h"

namespace korder::kube {

class TestServer {
 public:
  // The client at the other end of one connection.
  class Peer {
   public:
    virtual ~Peer() = default;
    // Counts the connections from 0.
    virtual int number() const = 0;
    // Head and body of the next request; nullopt once the client has closed or the server ends.
    virtual std::optional<std::string> ReadRequest() = 0;
    virtual void Write(std::string_view bytes) = 0;
    // Returns when the client has closed or the server ends.
    virtual void AwaitClose() = 0;
    virtual void Close() = 0;
  };
  using Script = std::function<void(Peer&)>;

  struct Tls {
    TestCa::Pair identity;
    std::string client_ca;  // PEM; when set, clients must show a certificate of it
  };

  explicit TestServer(Script script, std::optional<Tls> tls = std::nullopt);
  ~TestServer();

  int port() const;
  // Accepted so far.
  int connections() const;
  // To reach it at 127.0.0.1; over TLS the caller says what to trust.
  ClusterConfig Config() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::kube
