#include "runtime/tls.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/core/secret.h"
#include "base/backoff.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "kube/client.h"
#include "kube/informer.h"
#include "runtime/tls_check.h"

namespace korder::runtime {
namespace {

// The Secret is made within seconds of the first start, so the tries stay close together.
constexpr BackoffPolicy kBackoff = {.initial = absl::Milliseconds(100), .max = absl::Seconds(2)};

std::string Value(const api::Secret& secret, std::string_view key) {
  const auto it = secret.data.find(key);
  return it == secret.data.end() ? "" : it->second.value;
}

absl::StatusOr<TlsMaterial> MaterialOf(const api::Secret& secret) {
  const std::string which = absl::StrCat("secret ", kube::KeyOf(secret).ToString());
  TlsMaterial material = {Value(secret, "ca.crt"), Value(secret, "tls.crt"),
                          Value(secret, "tls.key")};
  RETURN_IF_ERROR(Annotate(CheckTls(material), which));
  if (material.ca.empty()) {
    return InvalidArgumentError(absl::StrCat(which, ": ca.crt: is missing"));
  }
  return material;
}

absl::StatusOr<TlsMaterial> ReadTlsSecret(kube::Client& client, const kube::ObjectKey& key,
                                          std::stop_token stop) {
  ASSIGN_OR_RETURN(const api::Secret secret,
                   client.Get<api::Secret>(key, {.timeout = absl::Seconds(5), .stop = stop}));
  return MaterialOf(secret);
}

}  // namespace

absl::StatusOr<TlsMaterial> WaitForTlsSecret(kube::Client& client, const std::string& ns,
                                             const std::string& name, std::stop_token stop) {
  absl::StatusCode logged = absl::StatusCode::kOk;
  for (int failures = 1;; ++failures) {
    absl::StatusOr<TlsMaterial> material = ReadTlsSecret(client, {ns, name}, stop);
    if (material.ok()) {
      return material;
    }
    if (material.status().code() != logged) {  // once per kind of obstacle
      logged = material.status().code();
      log::Info("waiting for the TLS secret",
                {{"ns", ns}, {"name", name}, {"error", ToString(material.status())}});
    }
    if (!Pause(BackoffDelay(kBackoff, failures, 0), stop)) {
      return CancelledError(absl::StrCat("wait for secret ", ns, "/", name));
    }
  }
}

void FollowTlsSecret(kube::Client& client, const std::string& ns, const std::string& name,
                     std::stop_token stop,
                     const std::function<void(const TlsMaterial&)>& on_change) {
  TlsMaterial current;
  kube::Informer<api::Secret> secrets(
      client, {.ns = ns, .field_selector = absl::StrCat("metadata.name=", name)});
  secrets.OnChange([&](const api::Secret* was, const api::Secret* is) {
    if ((is != nullptr ? is : was)->metadata.name != name) {
      return;
    }
    absl::StatusOr<TlsMaterial> material =
        is != nullptr ? MaterialOf(*is) : NotFoundError("it was deleted");
    if (const absl::Status better = material.ok() && !current.empty()
                                        ? CheckSuccessor(current, *material, absl::Now())
                                        : absl::OkStatus();
        !better.ok()) {
      material = better;
    }
    if (!material.ok()) {
      log::Warn("TLS secret cannot be used, the old certificate stays",
                {{"ns", ns}, {"name", name}, {"error", ToString(material.status())}});
    } else if (*material != current) {
      current = *std::move(material);
      log::Info("certificate in use",
                {{"name", name}, {"ends", absl::FormatTime(CertificateExpiry(current))}});
      on_change(current);
    }
  });
  secrets.Run(std::move(stop));
}

}  // namespace korder::runtime
