// The certificates a service shows and trusts. They come from one Secret per service, which
// admission-svc keeps (or cert-manager), read by name through the API.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::kube {
class Client;
}

namespace korder::runtime {

// PEM texts. All empty: no TLS (only for tests). Only `ca`: for people's calls, who check the
// server and show a token instead of a certificate.
struct TlsMaterial {
  std::string ca;
  std::string certificate;
  std::string key;
  bool empty() const { return ca.empty() && certificate.empty() && key.empty(); }
  bool operator==(const TlsMaterial&) const = default;
};

// Waits until the Secret exists and is complete: at the first start admission-svc is about to make
// it. Logs once what it waits for. CANCELLED on stop.
absl::StatusOr<TlsMaterial> WaitForTlsSecret(kube::Client& client, const std::string& ns,
                                             const std::string& name, std::stop_token stop);

// Watches the Secret until stop, and hands over what it holds now and each new material that can be
// used: that is how certificates are exchanged within moments and without a restart. While the
// Secret is missing, damaged, or holds what no peer would accept, the old one stays. For
// Manager::AddBackground.
//
//   FollowTlsSecret(client, ns, name, stop, [&](const TlsMaterial& tls) { server.SetTls(tls); });
void FollowTlsSecret(kube::Client& client, const std::string& ns, const std::string& name,
                     std::stop_token stop,
                     const std::function<void(const TlsMaterial&)>& on_change);

}  // namespace korder::runtime
