// What OpenSSL needs to know of a cluster: whom to trust and which certificate to show.
//
//   ASSIGN_OR_RETURN(SslContext tls, NewTlsContext(config));
#pragma once

#include <memory>
#include <openssl/ssl.h>

#include "base/status.h"
#include "kube/cluster_config.h"

namespace korder::kube {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

// Verifies the server's chain and its name or address, unless the config says not to. TLS 1.2 at
// least. INVALID_ARGUMENT when a certificate or key cannot be used. The context may be shared by
// threads.
absl::StatusOr<SslContext> NewTlsContext(const ClusterConfig& config);

// The name that the server's certificate must carry.
const std::string& ServerName(const ClusterConfig& config);

}  // namespace korder::kube
