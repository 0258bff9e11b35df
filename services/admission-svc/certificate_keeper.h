// Keeps what the services' TLS needs: the CA in the Secret korder-ca, a certificate per service in
// korder-<service>-tls, the CA bundle in korder's two webhook configurations, and the same bundle
// in the ConfigMap korder-ca, for people who call the services. When somebody else (cert-manager)
// makes the certificates, only the last of these is done.
//
//   CertificateKeeper keeper(client, clock, {.ns = "korder-system"});
//   RETURN_IF_ERROR(keeper.WaitForSecrets(stop));             // first of all: others wait for them
//   manager.AddBackground("keeper", [&](auto s) { keeper.Run(s); });
//   configurations.OnChange([&](auto*, auto*) { keeper.Wake(); });   // the Secrets, too
//
// What is missing, damaged or about to end is made anew; what is right is not written. A CA that
// was taken away is put back from memory and succeeded in peace, so nobody stops trusting anybody;
// who wants it distrusted at once stops admission-svc before. Every write carries the version it is
// based on, so any number of replicas may keep the same objects: who comes second reads again.
// Thread-safe.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "admission-svc/certificate_state.h"
#include "api/core/secret.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "kube/client.h"

namespace korder::admission {

inline constexpr char kCaSecret[] = "korder-ca";
inline constexpr char kCaConfigMap[] = "korder-ca";  // key ca.crt; everybody may read it
inline constexpr char kPodsConfiguration[] = "korder-pods";
inline constexpr char kValidationConfiguration[] = "korder-validation";

enum class CertificateSource {
  kSelf,      // the keeper makes and renews them
  kExternal,  // somebody else does, and puts the CA bundle into the webhook configurations
};

struct KeeperOptions {
  std::string ns;
  CertificateSource source = CertificateSource::kSelf;
  std::vector<std::string> services = {"korder-order-svc", "korder-ticket-svc", "korder-quota-svc",
                                       "korder-admission-svc"};
  absl::Duration ca_life = absl::Hours(24 * 3650);
  absl::Duration leaf_life = absl::Hours(24 * 90);
  absl::Duration period = absl::Minutes(1);
};

class CertificateKeeper {
 public:
  // Borrows client and clock.
  CertificateKeeper(kube::Client& client, const Clock& clock, KeeperOptions options);

  // All that it keeps; our own certificate when somebody else makes them.
  std::vector<std::string> secret_names() const;
  // Makes the Secrets right, or waits for somebody else to make ours, with as many tries as that
  // takes. CANCELLED on stop.
  absl::Status WaitForSecrets(std::stop_token stop);
  // Makes Secrets and configurations right every period, and soon after a Wake, until stop.
  void Run(std::stop_token stop);
  void Wake();
  // OK once Secrets and configurations were right, and from then on: what a replica has to serve
  // with does not go away when the API server does. Before that, what is missing.
  absl::Status Ready() const;

  // One look at everything. ABORTED when somebody else wrote in between: look again.
  absl::Status KeepSecrets(std::stop_token stop);
  absl::Status KeepBundles(std::stop_token stop);

 private:
  // A Secret that is there, or one to be created.
  absl::StatusOr<std::optional<api::Secret>> Read(const std::string& name, std::stop_token stop);
  absl::Status Write(std::optional<api::Secret> old, const std::string& name, SecretData data,
                     std::stop_token stop);
  // The bundle that came with our own certificate, when somebody else makes it.
  absl::StatusOr<std::string> ReadTrust(std::stop_token stop);
  absl::StatusOr<Authority> KeepAuthority(std::stop_token stop);
  Authority Remembered() const;
  void Remember(const Authority& authority);
  absl::Status KeepLeaf(const Authority& authority, const std::string& service,
                        std::stop_token stop);
  absl::Status KeepPublicBundle(const std::string& trust, std::stop_token stop);
  template <class Configuration>
  absl::Status KeepBundle(const std::string& name, const std::string& trust, std::stop_token stop);
  // False when stop was requested.
  bool Pause(absl::Duration duration, std::stop_token stop);

  kube::Client& client_;
  const Clock& clock_;
  const KeeperOptions options_;

  mutable Mutex mu_;
  CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status ready_ ABSL_GUARDED_BY(mu_);
  // What the configurations must hold.
  std::string trust_ ABSL_GUARDED_BY(mu_);
  // The CA as it was last found good or written.
  Authority remembered_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::admission
