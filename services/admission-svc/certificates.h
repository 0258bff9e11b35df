// Makes and inspects the X.509 certificates of korder: one CA, and a certificate per service that
// serves and connects (ECDSA P-256). Does no I/O and keeps nothing; the time is an argument.
//
//   ASSIGN_OR_RETURN(const KeyPair ca, MintCa(now, {.life = 10 years}));
//   ASSIGN_OR_RETURN(const KeyPair leaf, MintLeaf(ca, {"korder-order-svc"}, now, {.life = ...}));
//   RETURN_IF_ERROR(CheckIssued(leaf.certificate, ca.certificate, now));
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::admission {

// PEM texts. The key is PKCS #8 and not encrypted: it goes into a Secret.
struct KeyPair {
  std::string certificate;
  std::string key;
  bool operator==(const KeyPair&) const = default;
};

struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> dns_names;  // in the order of the certificate
  std::vector<std::string> ip_addresses;
  absl::Time not_before;
  absl::Time not_after;
  bool is_ca = false;
};

// A certificate is valid from this long before it was made, for peers whose clock is behind.
inline constexpr absl::Duration kClockSkew = absl::Minutes(5);

// Valid for `life` from now on; may sign leaves only.
absl::StatusOr<KeyPair> MintCa(absl::Time now, absl::Duration life);

// The first name is also the common name. Every leaf is valid for 127.0.0.1, as server and as
// client, and never longer than its CA. INVALID_ARGUMENT for a name that is no DNS name or a CA
// that cannot be read. REQUIRES: there is a name.
absl::StatusOr<KeyPair> MintLeaf(const KeyPair& ca, const std::vector<std::string>& names,
                                 absl::Time now, absl::Duration life);

// The first certificate of a PEM text. INVALID_ARGUMENT when there is none.
absl::StatusOr<CertificateInfo> Inspect(const std::string& pem);

// OK when a peer that trusts `ca` accepts the certificate at `now`, as a server and as a client;
// otherwise FAILED_PRECONDITION with OpenSSL's reason ("certificate has expired").
absl::Status CheckIssued(const std::string& certificate, const std::string& ca, absl::Time now);

// True from two thirds of the certificate's life on.
bool NeedsRenewal(const CertificateInfo& certificate, absl::Time now);

}  // namespace korder::admission
