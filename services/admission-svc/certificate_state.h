// Decides what has to be done about the CA and the certificates of the services, given what their
// Secrets hold now. Pure: minting and writing is the keeper's work.
//
//   switch (NextStep(found, remembered, now).step) { case AuthorityStep::kAnnounce: ... }
//
// A CA is replaced in three steps, so that no connection fails: first its successor is announced,
// and everybody trusts both; when everybody has read that, the successor begins to sign; when
// everybody has read a certificate of it, the predecessor is forgotten. A CA whose Secret was taken
// away goes the same way while a keeper still remembers it.
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
  kReplace,      // nothing there or remembered that could sign: begin anew
  kRestore,      // put back what is remembered, with a successor: somebody wanted it gone
  kAnnounce,     // make a successor and let everybody trust it
  kPromote,      // the successor signs from now on
  kForget,       // nobody shows a certificate of the predecessor any more
  kRepairTrust,  // the texts to trust are not what they must be
};

struct AuthorityVerdict {
  AuthorityStep step = AuthorityStep::kKeep;
  std::string reason;
};

// `found` is what the CA's Secret holds, `remembered` what it held when it was last found good;
// both may be empty.
AuthorityVerdict NextStep(const Authority& found, const Authority& remembered, absl::Time now);

// True for the steps that need a new CA.
bool NeedsNewCa(AuthorityStep step);

// `authority` after a step: `remembered` after kRestore, `found` after all others. `minted` is the
// new CA where NeedsNewCa.
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
