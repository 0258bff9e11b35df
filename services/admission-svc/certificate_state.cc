#include "admission-svc/certificate_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/tls_check.h"

namespace korder::admission {
namespace {

constexpr std::string_view kLoopback = "127.0.0.1";
// How long a successor is announced before it signs, and its predecessor trusted afterwards.
// Services watch their Secret, so this is for those that cannot reach the API server for a while.
constexpr absl::Duration kAnnouncement = absl::Minutes(5);

std::string Value(const SecretData& data, std::string_view key) {
  const auto it = data.find(key);
  return it == data.end() ? "" : it->second.value;
}

void Put(SecretData& data, std::string_view key, std::string value) {
  data[std::string(key)] = api::Bytes{std::move(value)};
}

// OK when the pair can sign at `now`.
absl::Status CheckAuthority(const KeyPair& pair, absl::Time now) {
  const absl::Status usable = runtime::CheckTls({pair.certificate, pair.certificate, pair.key});
  if (!usable.ok()) {
    return usable;
  }
  const absl::StatusOr<CertificateInfo> info = Inspect(pair.certificate);
  if (!info.ok()) {
    return info.status();
  }
  if (!info->is_ca) {
    return FailedPreconditionError("tls.crt: is not the certificate of a CA");
  }
  if (now >= info->not_after) {
    return FailedPreconditionError("tls.crt: has expired");
  }
  return absl::OkStatus();
}

// Short enough for CAs that live for minutes, in tests.
absl::Duration AnnouncementOf(const CertificateInfo& ca) {
  return std::min(kAnnouncement, (ca.not_after - ca.not_before) / 20);
}

absl::Time MadeAt(const CertificateInfo& info) { return info.not_before + kClockSkew; }

std::string TrustOf(const Authority& authority) {
  return authority.issuer.certificate + (authority.next ? authority.next->certificate : "") +
         authority.previous;
}

bool HasNames(const CertificateInfo& info, const std::vector<std::string>& names) {
  return info.dns_names == names && info.common_name == names.front() &&
         std::find(info.ip_addresses.begin(), info.ip_addresses.end(), kLoopback) !=
             info.ip_addresses.end();
}

}  // namespace

Authority AuthorityFrom(const SecretData& data) {
  Authority authority;
  authority.issuer = {Value(data, kKeyCertificate), Value(data, kKeyPrivate)};
  KeyPair next{Value(data, kKeyNextCertificate), Value(data, kKeyNextPrivate)};
  if (!next.certificate.empty()) {
    authority.next = std::move(next);
  }
  authority.previous = Value(data, kKeyPreviousCertificate);
  authority.trust = Value(data, kKeyTrust);
  return authority;
}

SecretData ToData(const Authority& authority) {
  SecretData data;
  Put(data, kKeyTrust, authority.trust);
  Put(data, kKeyCertificate, authority.issuer.certificate);
  Put(data, kKeyPrivate, authority.issuer.key);
  if (authority.next) {
    Put(data, kKeyNextCertificate, authority.next->certificate);
    Put(data, kKeyNextPrivate, authority.next->key);
  }
  if (!authority.previous.empty()) {
    Put(data, kKeyPreviousCertificate, authority.previous);
  }
  return data;
}

AuthorityVerdict NextStep(const Authority& found, const Authority& remembered, absl::Time now) {
  if (const absl::Status bad = CheckAuthority(found.issuer, now); !bad.ok()) {
    return {CheckAuthority(remembered.issuer, now).ok() ? AuthorityStep::kRestore
                                                        : AuthorityStep::kReplace,
            std::string(Message(bad))};
  }
  const CertificateInfo issuer = *Inspect(found.issuer.certificate);
  const absl::Duration announcement = AnnouncementOf(issuer);
  if (found.next && !CheckAuthority(*found.next, now).ok()) {
    return {AuthorityStep::kAnnounce, "the successor is damaged"};
  }
  if (!found.previous.empty() && !Inspect(found.previous).ok()) {
    return {AuthorityStep::kRepairTrust, "the predecessor is damaged"};
  }
  if (found.trust != TrustOf(found)) {
    return {AuthorityStep::kRepairTrust, "ca.crt: is not the CAs in use"};
  }
  // It began to sign before the second announcement was over (see below), so after the third one
  // everybody had one to read the new certificates.
  if (!found.previous.empty() && now >= MadeAt(issuer) + 3 * announcement) {
    return {AuthorityStep::kForget, "nobody uses its predecessor any more"};
  }
  if (!found.next) {
    return NeedsRenewal(issuer, now)
               ? AuthorityVerdict{AuthorityStep::kAnnounce, "two thirds of its life are over"}
               : AuthorityVerdict{};
  }
  const absl::Time announced = MadeAt(*Inspect(found.next->certificate));
  if (now >= announced + 2 * announcement) {
    return {AuthorityStep::kAnnounce, "the successor was not promoted in time"};
  }
  return now >= announced + announcement
             ? AuthorityVerdict{AuthorityStep::kPromote, "its successor is known everywhere"}
             : AuthorityVerdict{};
}

bool NeedsNewCa(AuthorityStep step) {
  return step == AuthorityStep::kReplace || step == AuthorityStep::kRestore ||
         step == AuthorityStep::kAnnounce;
}

Authority AfterStep(const Authority& authority, AuthorityStep step, const KeyPair& minted) {
  Authority after = authority;
  switch (step) {
    case AuthorityStep::kKeep:
      return after;
    case AuthorityStep::kReplace:
      after = Authority{.issuer = minted, .next = std::nullopt, .previous = "", .trust = ""};
      break;
    case AuthorityStep::kRestore:
    case AuthorityStep::kAnnounce:
      after.next = minted;
      break;
    case AuthorityStep::kPromote:
      after.previous = authority.issuer.certificate;
      after.issuer = *authority.next;
      after.next.reset();
      break;
    case AuthorityStep::kForget:
      after.previous.clear();
      break;
    case AuthorityStep::kRepairTrust:
      if (!Inspect(after.previous).ok()) {
        after.previous.clear();
      }
      break;
  }
  after.trust = TrustOf(after);
  return after;
}

LeafVerdict NextStep(const std::optional<SecretData>& data, const Authority& authority,
                     const std::vector<std::string>& names, absl::Time now) {
  if (!data) {
    return {LeafStep::kIssue, "there is none"};
  }
  const std::string certificate = Value(*data, kKeyCertificate);
  const absl::Status usable =
      runtime::CheckTls({authority.issuer.certificate, certificate, Value(*data, kKeyPrivate)});
  if (!usable.ok()) {
    return {LeafStep::kIssue, std::string(Message(usable))};
  }
  const absl::Status issued = CheckIssued(certificate, authority.issuer.certificate, now);
  if (!issued.ok()) {
    return {LeafStep::kIssue, absl::StrCat("tls.crt: ", std::string(Message(issued)))};
  }
  const CertificateInfo info = *Inspect(certificate);
  if (!HasNames(info, names)) {
    return {LeafStep::kIssue, "tls.crt: has other names"};
  }
  if (NeedsRenewal(info, now)) {
    return {LeafStep::kIssue, "two thirds of its life are over"};
  }
  if (Value(*data, kKeyTrust) != authority.trust) {
    return {LeafStep::kRefreshTrust, "ca.crt: is not what peers use"};
  }
  return {};
}

std::vector<std::string> NamesOf(const std::string& service, const std::string& ns) {
  const std::string qualified = absl::StrCat(service, ".", ns);
  return {service, qualified, qualified + ".svc", qualified + ".svc.cluster.local", "localhost"};
}

}  // namespace korder::admission
