#include "admission-svc/certificates.h"

#include <catch2/catch.hpp>

#include "runtime/tls_check.h"

namespace korder::admission {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);
const absl::Duration kYear = absl::Hours(24 * 365);
const absl::Duration kDay = absl::Hours(24);

KeyPair Ca() { return MintCa(kNow, 10 * kYear).value(); }

KeyPair Leaf(const KeyPair& ca) {
  return MintLeaf(ca, {"korder-order-svc", "korder-order-svc.korder-system", "localhost"}, kNow,
                  90 * kDay)
      .value();
}

TEST_CASE("certificates: a leaf is accepted by who trusts its CA, as server and as client",
          "[certificates]") {
  const KeyPair ca = Ca();
  const KeyPair leaf = Leaf(ca);
  CHECK(CheckIssued(leaf.certificate, ca.certificate, kNow).ok());
  CHECK(runtime::CheckTls({ca.certificate, leaf.certificate, leaf.key}).ok());
  // Among others in a bundle, wherever it stands: CAs have the same name.
  const KeyPair other = Ca();
  CHECK(CheckIssued(leaf.certificate, other.certificate + ca.certificate, kNow).ok());
  CHECK(CheckIssued(leaf.certificate, ca.certificate + other.certificate, kNow).ok());
}

TEST_CASE("certificates: a leaf has its names in order, and ends when asked to", "[certificates]") {
  const KeyPair leaf = Leaf(Ca());
  const CertificateInfo info = Inspect(leaf.certificate).value();
  CHECK(info.common_name == "korder-order-svc");
  CHECK(info.dns_names == std::vector<std::string>{"korder-order-svc",
                                                   "korder-order-svc.korder-system", "localhost"});
  CHECK(info.ip_addresses == std::vector<std::string>{"127.0.0.1"});
  CHECK(info.not_before == kNow - kClockSkew);
  CHECK(info.not_after == kNow + 90 * kDay);
  CHECK_FALSE(info.is_ca);
}

TEST_CASE("certificates: a CA says that it is one, and lives ten years", "[certificates]") {
  const CertificateInfo info = Inspect(Ca().certificate).value();
  CHECK(info.common_name == "korder CA");
  CHECK(info.is_ca);
  CHECK(info.not_after == kNow + 10 * kYear);
}

TEST_CASE("certificates: each has its own key and serial", "[certificates]") {
  const KeyPair ca = Ca();
  const KeyPair a = Leaf(ca);
  const KeyPair b = Leaf(ca);
  CHECK(a.key != b.key);
  CHECK(a.certificate != b.certificate);
  CHECK(Ca() != ca);
}

TEST_CASE("certificates: what a peer would refuse is refused with the reason", "[certificates]") {
  const KeyPair ca = Ca();
  const KeyPair leaf = Leaf(ca);
  const auto why = [](const std::string& certificate, const std::string& trust, absl::Time at) {
    return std::string(Message(CheckIssued(certificate, trust, at)));
  };
  CHECK(why(leaf.certificate, ca.certificate, kNow + 91 * kDay) == "certificate has expired");
  CHECK(why(leaf.certificate, ca.certificate, kNow - kDay) == "certificate is not yet valid");
  CHECK(why(leaf.certificate, Ca().certificate, kNow).find("issuer") != std::string::npos);
  CHECK(why(leaf.certificate, "", kNow).find("issuer") != std::string::npos);
  CHECK(why("nonsense", ca.certificate, kNow) == "is not a PEM certificate");
  // A leaf cannot act as a CA.
  CHECK(absl::IsFailedPrecondition(
      CheckIssued(Leaf(leaf).certificate, leaf.certificate + ca.certificate, kNow)));
}

TEST_CASE("certificates: a leaf never outlives its CA", "[certificates]") {
  const KeyPair ca = MintCa(kNow, kDay).value();
  CHECK(Inspect(Leaf(ca).certificate)->not_after == kNow + kDay);
}

TEST_CASE("certificates: names that would change the certificate's meaning are refused",
          "[certificates]") {
  const KeyPair ca = Ca();
  for (const char* name : {"", "a,IP:10.0.0.1", "UPPER", "a b", "*.example.com"}) {
    INFO(name);
    CHECK(absl::IsInvalidArgument(MintLeaf(ca, {name}, kNow, kDay).status()));
  }
}

TEST_CASE("certificates: a CA that cannot be read mints nothing", "[certificates]") {
  const KeyPair ca = Ca();
  const KeyPair other = Ca();
  for (const KeyPair& bad : {KeyPair{}, KeyPair{ca.certificate, ""}, KeyPair{"", ca.key},
                             KeyPair{ca.certificate, other.key}, KeyPair{"x", "y"}}) {
    CHECK(absl::IsInvalidArgument(MintLeaf(bad, {"a"}, kNow, kDay).status()));
  }
  CHECK(absl::IsInvalidArgument(Inspect("").status()));
  CHECK(absl::IsInvalidArgument(Inspect(ca.key).status()));
}

TEST_CASE("certificates: renewal is due at two thirds of the life", "[certificates]") {
  CertificateInfo info;
  info.not_before = kNow;
  info.not_after = kNow + 90 * kDay;
  CHECK_FALSE(NeedsRenewal(info, kNow));
  CHECK_FALSE(NeedsRenewal(info, kNow + 60 * kDay - absl::Seconds(1)));
  CHECK(NeedsRenewal(info, kNow + 60 * kDay));
  CHECK(NeedsRenewal(info, kNow + 100 * kDay));
}

}  // namespace
}  // namespace korder::admission
