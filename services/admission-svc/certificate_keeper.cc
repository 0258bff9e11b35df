#include "admission-svc/certificate_keeper.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/config_map.h"
#include "api/core/webhook_configuration.h"
#include "base/backoff.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace korder::admission {
namespace {

constexpr BackoffPolicy kBackoff = {.initial = absl::Milliseconds(50), .max = absl::Seconds(5)};
constexpr char kOwnService[] = "korder-admission-svc";
constexpr char kTlsType[] = "kubernetes.io/tls";

kube::CallOptions Call(std::stop_token stop) {
  return {.timeout = absl::Seconds(5), .stop = std::move(stop)};
}

std::string SecretOf(const std::string& service) { return service + "-tls"; }

// A tenth of the life at most, so that short-lived certificates in tests are renewed in time too.
absl::Duration LookEvery(const KeeperOptions& options) {
  return std::min(options.period, options.leaf_life / 10);
}

}  // namespace

CertificateKeeper::CertificateKeeper(kube::Client& client, const Clock& clock,
                                     KeeperOptions options)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      ready_(UnavailableError("the certificates were not looked at yet")) {}

std::vector<std::string> CertificateKeeper::secret_names() const {
  if (options_.source == CertificateSource::kExternal) {
    return {SecretOf(kOwnService)};
  }
  std::vector<std::string> names = {kCaSecret};
  for (const std::string& service : options_.services) {
    names.push_back(SecretOf(service));
  }
  return names;
}

absl::Status CertificateKeeper::WaitForSecrets(std::stop_token stop) {
  absl::StatusCode logged = absl::StatusCode::kOk;
  for (int failures = 1;; ++failures) {
    const absl::Status status = KeepSecrets(stop);
    if (status.ok()) {
      return status;
    }
    if (status.code() != logged && !absl::IsAborted(status)) {  // once per kind of obstacle
      logged = status.code();
      log::Warn("certificates not there yet", {{"ns", options_.ns}, {"error", ToString(status)}});
    }
    if (!Pause(BackoffDelay(kBackoff, failures, 0), stop)) {
      return CancelledError("wait for the certificates");
    }
  }
}

void CertificateKeeper::Run(std::stop_token stop) {
  int failures = 0;
  do {
    {
      const MutexLock lock(mu_);
      woken_ = false;
    }
    absl::Status status = KeepSecrets(stop);
    if (status.ok()) {
      status = KeepBundles(stop);
    }
    failures = status.ok() ? 0 : failures + 1;
    if (!status.ok() && !absl::IsAborted(status) && !stop.stop_requested()) {
      log::Warn("certificates not kept", {{"error", ToString(status)}, {"failures", failures}});
    }
    const MutexLock lock(mu_);
    if (!ready_.ok()) {
      ready_ = std::move(status);
    }
  } while (Pause(failures == 0 ? LookEvery(options_) : BackoffDelay(kBackoff, failures, 0), stop));
}

void CertificateKeeper::Wake() {
  {
    const MutexLock lock(mu_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

absl::Status CertificateKeeper::Ready() const {
  const MutexLock lock(mu_);
  return ready_;
}

absl::Status CertificateKeeper::KeepSecrets(std::stop_token stop) {
  if (options_.source == CertificateSource::kExternal) {
    ASSIGN_OR_RETURN(std::string trust, ReadTrust(std::move(stop)));
    const MutexLock lock(mu_);
    trust_ = std::move(trust);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Authority authority, KeepAuthority(stop));
  for (const std::string& service : options_.services) {
    RETURN_IF_ERROR(KeepLeaf(authority, service, stop));
  }
  const MutexLock lock(mu_);
  trust_ = authority.trust;
  return absl::OkStatus();
}

absl::Status CertificateKeeper::KeepBundles(std::stop_token stop) {
  std::string trust;
  {
    const MutexLock lock(mu_);
    trust = trust_;
  }
  RETURN_IF_ERROR(KeepPublicBundle(trust, stop));
  if (options_.source == CertificateSource::kExternal) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(KeepBundle<api::MutatingWebhookConfiguration>(kPodsConfiguration, trust, stop));
  return KeepBundle<api::ValidatingWebhookConfiguration>(kValidationConfiguration, trust, stop);
}

absl::StatusOr<std::string> CertificateKeeper::ReadTrust(std::stop_token stop) {
  const std::string name = SecretOf(kOwnService);
  ASSIGN_OR_RETURN(const std::optional<api::Secret> secret, Read(name, std::move(stop)));
  if (!secret) {
    return NotFoundError(absl::StrCat("secret ", options_.ns, "/", name, " is not there yet"));
  }
  const auto trust = secret->data.find(kKeyTrust);
  if (trust == secret->data.end() || trust->second.value.empty()) {
    return FailedPreconditionError(
        absl::StrCat("secret ", options_.ns, "/", name, ": ca.crt: is missing"));
  }
  return trust->second.value;
}

absl::StatusOr<Authority> CertificateKeeper::KeepAuthority(std::stop_token stop) {
  ASSIGN_OR_RETURN(std::optional<api::Secret> secret, Read(kCaSecret, stop));
  Authority found = secret ? AuthorityFrom(secret->data) : Authority{};
  const Authority remembered = Remembered();
  const absl::Time now = clock_.Now();
  const AuthorityVerdict verdict = NextStep(found, remembered, now);
  if (verdict.step == AuthorityStep::kKeep) {
    Remember(found);
    return found;
  }
  const std::string why = secret ? verdict.reason : "there is none";
  const bool restored = verdict.step == AuthorityStep::kRestore;
  KeyPair minted;
  if (NeedsNewCa(verdict.step)) {
    ASSIGN_OR_RETURN(minted, MintCa(now, options_.ca_life));
  }
  Authority after = AfterStep(restored ? remembered : found, verdict.step, minted);
  RETURN_IF_ERROR(Write(std::move(secret), kCaSecret, ToData(after), stop));
  Remember(after);
  log::Info("CA written", {{"secret", kCaSecret}, {"why", why}, {"restored", restored}});
  return after;
}

Authority CertificateKeeper::Remembered() const {
  const MutexLock lock(mu_);
  return remembered_;
}

void CertificateKeeper::Remember(const Authority& authority) {
  const MutexLock lock(mu_);
  remembered_ = authority;
}

absl::Status CertificateKeeper::KeepLeaf(const Authority& authority, const std::string& service,
                                         std::stop_token stop) {
  const std::string name = SecretOf(service);
  ASSIGN_OR_RETURN(std::optional<api::Secret> secret, Read(name, stop));
  const std::vector<std::string> names = NamesOf(service, options_.ns);
  const absl::Time now = clock_.Now();
  const LeafVerdict verdict =
      NextStep(secret ? std::optional(secret->data) : std::nullopt, authority, names, now);
  if (verdict.step == LeafStep::kKeep) {
    return absl::OkStatus();
  }
  SecretData data;
  if (verdict.step == LeafStep::kIssue) {
    ASSIGN_OR_RETURN(KeyPair leaf, MintLeaf(authority.issuer, names, now, options_.leaf_life));
    data[std::string(kKeyCertificate)] = {std::move(leaf.certificate)};
    data[std::string(kKeyPrivate)] = {std::move(leaf.key)};
  } else {
    data = secret->data;
  }
  data[std::string(kKeyTrust)] = {authority.trust};
  RETURN_IF_ERROR(Write(std::move(secret), name, std::move(data), stop));
  log::Info("certificate written", {{"secret", name}, {"why", verdict.reason}});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<api::Secret>> CertificateKeeper::Read(const std::string& name,
                                                                   std::stop_token stop) {
  absl::StatusOr<api::Secret> secret =
      client_.Get<api::Secret>({options_.ns, name}, Call(std::move(stop)));
  if (absl::IsNotFound(secret.status())) {
    return std::optional<api::Secret>();
  }
  RETURN_IF_ERROR(secret.status());
  return std::optional(*std::move(secret));
}

absl::Status CertificateKeeper::Write(std::optional<api::Secret> old, const std::string& name,
                                      SecretData data, std::stop_token stop) {
  api::Secret secret = old ? *std::move(old) : api::Secret{};
  const bool is_new = secret.metadata.uid.empty();
  secret.data = std::move(data);
  if (!is_new) {
    return client_.Update(secret, "", Call(std::move(stop))).status();
  }
  secret.metadata.ns = options_.ns;
  secret.metadata.name = name;
  secret.metadata.labels = {{"app.kubernetes.io/part-of", "korder"},
                            {"app.kubernetes.io/managed-by", "korder-admission-svc"}};
  secret.type = kTlsType;
  const absl::Status status = client_.Create(secret, Call(std::move(stop))).status();
  // Another replica was faster; what it made has to be read.
  return absl::IsAlreadyExists(status) ? AbortedError(Message(status)) : status;
}

absl::Status CertificateKeeper::KeepPublicBundle(const std::string& trust, std::stop_token stop) {
  const kube::ObjectKey key{options_.ns, kCaConfigMap};
  absl::StatusOr<api::ConfigMap> found = client_.Get<api::ConfigMap>(key, Call(stop));
  const bool missing = absl::IsNotFound(found.status());
  if (!missing) {
    RETURN_IF_ERROR(found.status());
  }
  api::ConfigMap bundle = missing ? api::ConfigMap{} : *std::move(found);
  std::string& text = bundle.data[std::string(kKeyTrust)];
  if (text == trust) {
    return absl::OkStatus();
  }
  text = trust;
  bundle.metadata.ns = options_.ns;
  bundle.metadata.name = kCaConfigMap;
  const absl::Status status = missing ? client_.Create(bundle, Call(std::move(stop))).status()
                                      : client_.Update(bundle, "", Call(std::move(stop))).status();
  // Another replica was faster; what it made has to be read.
  return absl::IsAlreadyExists(status) ? AbortedError(Message(status)) : status;
}

template <class Configuration>
absl::Status CertificateKeeper::KeepBundle(const std::string& name, const std::string& trust,
                                           std::stop_token stop) {
  const absl::StatusOr<Configuration> found = client_.Get<Configuration>({"", name}, Call(stop));
  if (absl::IsNotFound(found.status())) {
    return absl::OkStatus();  // Installed without webhooks.
  }
  RETURN_IF_ERROR(found.status());
  Configuration patch;
  patch.metadata.resource_version = found->metadata.resource_version;
  for (const api::Webhook& webhook : found->webhooks) {
    if (webhook.client_config.ca_bundle.value != trust) {
      patch.webhooks.push_back({.name = webhook.name, .client_config = {.ca_bundle = {trust}}});
    }
  }
  if (patch.webhooks.empty()) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(client_
                      .Patch<Configuration>({"", name}, {.type = kube::PatchType::kStrategicMerge},
                                            json::Print(patch), Call(std::move(stop)))
                      .status());
  log::Info("CA bundle written", {{"configuration", name}, {"webhooks", patch.webhooks.size()}});
  return absl::OkStatus();
}

bool CertificateKeeper::Pause(absl::Duration duration, std::stop_token stop) {
  const MutexLock lock(mu_);
  changed_.WaitUntil(mu_, stop,
                     std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration),
                     [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return woken_; });
  return !stop.stop_requested();
}

}  // namespace korder::admission
