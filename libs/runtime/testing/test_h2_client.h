// An HTTP/2 client that keeps no rules but those of the framing, on one loopback connection with
// TLS: for tests of what a gRPC server bears.
//
//   TestH2Client client(server.port(), ca.Issue("korder-order-svc"));
//   client.Reset(client.Call("/korder.quota.v1.QuotaLedger/Reserve"));
//   client.Flush();
//
// Whoever uses it must call Skim now and then, or not, to see what happens to who reads nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/tls.h"

namespace korder::runtime {

class TestH2Client {
 public:
  // Connects to 127.0.0.1, with a certificate unless tls.certificate is empty. The server may send
  // `window` bytes of each answer before it has to wait. Throws when the handshake fails.
  TestH2Client(int port, const TlsMaterial& tls, uint32_t window = 65'535);
  ~TestH2Client();

  // Begins a gRPC call and returns its stream. Nothing goes out before Flush.
  uint32_t Begin(std::string_view method, std::string_view bearer_token = "");
  // The same with an empty message, to its end.
  uint32_t Call(std::string_view method, std::string_view bearer_token = "");
  // Gives a call up: RST_STREAM.
  void Reset(uint32_t stream);
  // False when the connection has ended.
  bool Flush();
  // Throws away what has arrived; false when the connection has ended.
  bool Skim();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
