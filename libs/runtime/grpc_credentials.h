// Server credentials with what gRPC's own C++ ones lack: certificates that can be exchanged while
// the server runs, and a check of every call by method and peer. Built on gRPC's public C API.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include "base/mutex.h"
#include "base/status.h"
#include "runtime/tls.h"

namespace korder::runtime {

// Called on gRPC's threads for every call; must be quick. `peer` is the first DNS name of the
// client's certificate, or its common name.
using CallCheck = std::function<bool(std::string_view method, std::string_view peer)>;

// Called for a call that comes without a client certificate, with what follows "Bearer " in its
// authorization metadata and what stands in kNamespaceMetadata (empty when there is none; a call
// with two is refused before). `done` may be called later, on any thread.
using UserCheck = std::function<void(std::string_view method, std::string token, std::string ns,
                                     std::function<void(const absl::Status&)> done)>;

// Thread-safe.
class MutualTlsCredentials final : public grpc::ServerCredentials {
 public:
  // REQUIRES: CheckTls(tls) is OK and tls.ca is not empty.
  // Without `users` a client must have a certificate.
  MutualTlsCredentials(TlsMaterial tls, CallCheck check, UserCheck users = nullptr);
  ~MutualTlsCredentials() override;

  // Handshakes from now on use the new material.
  void SetTls(TlsMaterial tls);

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override;

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;

  struct State;
  // Shared with gRPC's credentials, which a server may keep longer than this object lives.
  std::shared_ptr<State> state_;
  grpc_server_credentials* credentials_;
};

}  // namespace korder::runtime
