// Decides what has to be done about the CA and the certificates of the services, given what their
// Secrets hold now. Pure: minting and writing is the keeper's work.
//
//   switch (NextStep(authority, now).step) { case AuthorityStep::kAnnounce: ... }
//
// A CA is replaced in two steps, so that no connection fails: first its successor is announced, and
// everybody trusts both; later, when everybody has read that, the successor begins to sign.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "admission-svc/certificates.h"
#include "api/meta/bytes.h"

namespace korder::admission {

// The content of a Secret.
using SecretData = std::map<std::string, api::Bytes, std::less<>>;

inline constexpr std::string_view kKeyTrust = "ca.crt";
inline constexpr std::string_view kKeyCertificate = "tls.crt";
inline constexpr std::string_view kKeyPrivate = "tls.key";
// In the CA's Secret only: the successor while it is announced.
inline constexpr std::string_view kKeyNextCertificate = "next.crt";
inline constexpr std::string_view kKeyNextPrivate = "next.key";
// And its predecessor, whose certificates may be in use for a moment longer.
inline constexpr std::string_view kKeyPreviousCertificate = "previous.crt";

// What the CA's Secret holds.
struct Authority {
  KeyPair issuer;               // signs
  std::optional<KeyPair> next;  // will sign
  std::string previous;         // PEM; trusted, does not sign any more; perhaps empty
  std::string trust;            // PEM: what peers are told to trust, all of the above

  bool operator==(const Authority&) const = default;
};

Authority AuthorityFrom(const SecretData& data);
SecretData ToData(const Authority& authority);

enum class AuthorityStep {
  kKeep,
  kReplace,      // nothing there that could sign: begin anew
  kAnnounce,     // make a successor and let everybody trust it
  kPromote,      // the successor signs from now on
  kRepairTrust,  // the texts to trust are not what they must be
};

struct AuthorityVerdict {
  AuthorityStep step = AuthorityStep::kKeep;
  std::string reason;
};

AuthorityVerdict NextStep(const Authority& authority, absl::Time now);

// `authority` after a step. `minted` is the new CA of kReplace and kAnnounce.
Authority AfterStep(const Authority& authority, AuthorityStep step, const KeyPair& minted);

enum class LeafStep {
  kKeep,
  kIssue,         // a new certificate
  kRefreshTrust,  // only what it trusts changed
};

struct LeafVerdict {
  LeafStep step = LeafStep::kKeep;
  std::string reason;
};

// `data` is what the service's Secret holds; absent when there is no Secret.
LeafVerdict NextStep(const std::optional<SecretData>& data, const Authority& authority,
                     const std::vector<std::string>& names, absl::Time now);

// The names of one service's certificate: "korder-order-svc" and its longer forms, localhost.
std::vector<std::string> NamesOf(const std::string& service, const std::string& ns);

}  // namespace korder::admission
