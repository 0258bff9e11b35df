#include "admission-svc/certificate_state.h"

#include <catch2/catch.hpp>

namespace korder::admission {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);
const absl::Duration kDay = absl::Hours(24);
const absl::Duration kCaLife = 3650 * kDay;

const std::vector<std::string>& Names() {
  static const std::vector<std::string> names = NamesOf("korder-order-svc", "korder-system");
  return names;
}

// What is decided by a keeper that remembers nothing.
AuthorityVerdict NextOf(const Authority& found, absl::Time now) { return NextStep(found, {}, now); }

KeyPair Ca(absl::Time now = kNow) { return MintCa(now, kCaLife).value(); }

Authority Fresh(absl::Time now = kNow) { return AfterStep({}, AuthorityStep::kReplace, Ca(now)); }

SecretData LeafOf(const Authority& authority, absl::Time now = kNow) {
  const KeyPair leaf = MintLeaf(authority.issuer, Names(), now, 90 * kDay).value();
  return {{"ca.crt", {authority.trust}}, {"tls.crt", {leaf.certificate}}, {"tls.key", {leaf.key}}};
}

TEST_CASE("certificate state: the names are those that peers and the API server ask for",
          "[certificates]") {
  CHECK(Names() == std::vector<std::string>{"korder-order-svc", "korder-order-svc.korder-system",
                                            "korder-order-svc.korder-system.svc",
                                            "korder-order-svc.korder-system.svc.cluster.local",
                                            "localhost"});
}

TEST_CASE("certificate state: a good CA is kept, also after a way through its Secret",
          "[certificates]") {
  const Authority ca = Fresh();
  CHECK(ca.trust == ca.issuer.certificate);
  CHECK(NextOf(ca, kNow).step == AuthorityStep::kKeep);
  CHECK(AuthorityFrom(ToData(ca)) == ca);
  const Authority announced = AfterStep(ca, AuthorityStep::kAnnounce, Ca());
  CHECK(AuthorityFrom(ToData(announced)) == announced);
  const Authority promoted = AfterStep(announced, AuthorityStep::kPromote, {});
  CHECK(AuthorityFrom(ToData(promoted)) == promoted);
}

TEST_CASE("certificate state: a CA that cannot sign is replaced", "[certificates]") {
  const Authority good = Fresh();
  const KeyPair leaf = MintLeaf(good.issuer, {"a"}, kNow, kDay).value();
  struct Case {
    const char* name;
    KeyPair issuer;
    absl::Time now;
  };
  const Case cases[] = {
      {"nothing there", {}, kNow},
      {"no certificate", {"", good.issuer.key}, kNow},
      {"damaged certificate", {good.issuer.certificate.substr(0, 200), good.issuer.key}, kNow},
      {"no key", {good.issuer.certificate, ""}, kNow},
      {"somebody else's key", {good.issuer.certificate, Ca().key}, kNow},
      {"not a CA", leaf, kNow},
      {"expired", good.issuer, kNow + kCaLife},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Authority authority = good;
      authority.issuer = c.issuer;
      const AuthorityVerdict verdict = NextOf(authority, c.now);
      CHECK(verdict.step == AuthorityStep::kReplace);
      CHECK_FALSE(verdict.reason.empty());
      const Authority after = AfterStep(authority, verdict.step, Ca(c.now));
      CHECK(NextOf(after, c.now).step == AuthorityStep::kKeep);
    }
  }
}

TEST_CASE("certificate state: texts to trust that were changed by hand are repaired",
          "[certificates]") {
  for (const std::string& trust :
       {std::string(), std::string("x"), Ca().certificate, Fresh().trust + Fresh().trust}) {
    Authority authority = Fresh();
    const std::string want = authority.trust;
    authority.trust = trust;
    const AuthorityVerdict verdict = NextOf(authority, kNow);
    CHECK(verdict.step == AuthorityStep::kRepairTrust);
    CHECK(AfterStep(authority, verdict.step, {}).trust == want);
  }
  Authority authority = Fresh();
  authority.previous = "x";
  authority.trust += "x";
  CHECK(NextOf(authority, kNow).step == AuthorityStep::kRepairTrust);
  CHECK(AfterStep(authority, AuthorityStep::kRepairTrust, {}) ==
        AfterStep({}, AuthorityStep::kReplace, authority.issuer));
}

TEST_CASE("certificate state: a CA is succeeded without a moment in which anybody is refused",
          "[certificates]") {
  const Authority old = Fresh();
  const SecretData leaf = LeafOf(old, kNow + kCaLife / 2);
  absl::Time now = kNow + kCaLife * 2 / 3;

  // Announced: everybody is to trust both, nothing is issued anew.
  REQUIRE(NextOf(old, now).step == AuthorityStep::kAnnounce);
  const Authority announced = AfterStep(old, AuthorityStep::kAnnounce, Ca(now));
  CHECK(announced.issuer == old.issuer);
  CHECK(announced.trust == old.issuer.certificate + announced.next->certificate);
  CHECK(NextOf(announced, now).step == AuthorityStep::kKeep);
  CHECK(NextOf(announced, now + absl::Minutes(4)).step == AuthorityStep::kKeep);

  // Promoted: signed anew by the successor, which everybody trusts already; the old one, which is
  // still shown by those who have not read their new certificate, is trusted on.
  now += absl::Minutes(5);
  REQUIRE(NextOf(announced, now).step == AuthorityStep::kPromote);
  const Authority promoted = AfterStep(announced, AuthorityStep::kPromote, {});
  CHECK(NextOf(promoted, now).step == AuthorityStep::kKeep);
  CHECK(NextStep(leaf, promoted, Names(), kNow + kCaLife / 2 + kDay).step == LeafStep::kIssue);
  const SecretData renewed = LeafOf(promoted, now);
  CHECK(CheckIssued(renewed.at("tls.crt").value, announced.trust, now).ok());
  CHECK(CheckIssued(leaf.at("tls.crt").value, promoted.trust, kNow + kCaLife / 2 + kDay).ok());
  CHECK(NextStep(renewed, promoted, Names(), now).step == LeafStep::kKeep);

  // Forgotten, when everybody has had the time of an announcement to read a new certificate.
  CHECK(NextOf(promoted, now + absl::Minutes(9)).step == AuthorityStep::kKeep);
  now += absl::Minutes(10);
  REQUIRE(NextOf(promoted, now).step == AuthorityStep::kForget);
  const Authority alone = AfterStep(promoted, AuthorityStep::kForget, {});
  CHECK(alone.trust == alone.issuer.certificate);
  CHECK(NextOf(alone, now).step == AuthorityStep::kKeep);
  CHECK(NextStep(renewed, alone, Names(), now).step == LeafStep::kRefreshTrust);
}

TEST_CASE("certificate state: a successor that nobody promoted in time is announced anew",
          "[certificates]") {
  // Or its predecessor would be forgotten as soon as it signs.
  const Authority announced = AfterStep(Fresh(), AuthorityStep::kAnnounce, Ca());
  CHECK(NextOf(announced, kNow + absl::Minutes(9)).step == AuthorityStep::kPromote);
  const absl::Time late = kNow + absl::Minutes(10);
  REQUIRE(NextOf(announced, late).step == AuthorityStep::kAnnounce);
  const Authority again = AfterStep(announced, AuthorityStep::kAnnounce, Ca(late));
  CHECK(again.issuer == announced.issuer);
  CHECK(NextOf(again, late).step == AuthorityStep::kKeep);
}

TEST_CASE("certificate state: a CA that was taken away or damaged is put back, with a successor",
          "[certificates]") {
  const Authority old = Fresh();
  Authority damaged = old;
  damaged.issuer.key = "x";
  for (const Authority& found : {Authority{}, damaged}) {
    REQUIRE(NextStep(found, old, kNow + kDay).step == AuthorityStep::kRestore);
    CHECK(NeedsNewCa(AuthorityStep::kRestore));
    const Authority after = AfterStep(old, AuthorityStep::kRestore, Ca(kNow + kDay));
    CHECK(after.issuer == old.issuer);
    CHECK(after.trust == old.issuer.certificate + after.next->certificate);
    CHECK(NextOf(after, kNow + kDay).step == AuthorityStep::kKeep);
    CHECK(NextOf(after, kNow + kDay + absl::Minutes(5)).step == AuthorityStep::kPromote);
    // No certificate of a service is made anew, only what they trust.
    CHECK(NextStep(LeafOf(old), after, Names(), kNow + kDay).step == LeafStep::kRefreshTrust);
  }
}

TEST_CASE("certificate state: somebody else's good CA is kept, whatever is remembered",
          "[certificates]") {
  CHECK(NextStep(Fresh(), Fresh(), kNow).step == AuthorityStep::kKeep);
}

TEST_CASE("certificate state: what is remembered and cannot sign any more is not put back",
          "[certificates]") {
  CHECK(NextStep({}, Fresh(), kNow + kCaLife).step == AuthorityStep::kReplace);
}

TEST_CASE(
    "certificate state: a CA put back in the middle of a succession trusts its predecessor on",
    "[certificates]") {
  const Authority promoted =
      AfterStep(AfterStep(Fresh(), AuthorityStep::kAnnounce, Ca()), AuthorityStep::kPromote, {});
  const Authority after = AfterStep(promoted, AuthorityStep::kRestore, Ca());
  CHECK(after.previous == promoted.previous);
  CHECK(after.trust == after.issuer.certificate + after.next->certificate + after.previous);
}

TEST_CASE("certificate state: a damaged successor is made anew", "[certificates]") {
  Authority authority = AfterStep(Fresh(), AuthorityStep::kAnnounce, Ca());
  authority.next->key = "x";
  CHECK(NextOf(authority, kNow).step == AuthorityStep::kAnnounce);
  const Authority after = AfterStep(authority, AuthorityStep::kAnnounce, Ca());
  CHECK(NextOf(after, kNow).step == AuthorityStep::kKeep);
}

TEST_CASE("certificate state: a good certificate is kept", "[certificates]") {
  const Authority ca = Fresh();
  CHECK(NextStep(LeafOf(ca), ca, Names(), kNow).step == LeafStep::kKeep);
  CHECK(NextStep(LeafOf(ca), ca, Names(), kNow + 59 * kDay).step == LeafStep::kKeep);
}

TEST_CASE("certificate state: a certificate that cannot serve is issued anew", "[certificates]") {
  const Authority ca = Fresh();
  const SecretData good = LeafOf(ca);
  const auto with = [&](std::string_view key, std::string value) {
    SecretData data = good;
    data[std::string(key)].value = std::move(value);
    return data;
  };
  struct Case {
    const char* name;
    std::optional<SecretData> data;
    absl::Time now = kNow;
  };
  const Case cases[] = {
      {"no Secret", std::nullopt},
      {"an empty Secret", SecretData{}},
      {"no key", with("tls.key", "")},
      {"another key", with("tls.key", LeafOf(ca).at("tls.key").value)},
      {"cut short", with("tls.crt", good.at("tls.crt").value.substr(0, 300))},
      {"signed by another CA", LeafOf(Fresh())},
      {"the names of another service",
       [&] {
         const KeyPair other =
             MintLeaf(ca.issuer, NamesOf("korder-quota-svc", "korder-system"), kNow, kDay).value();
         return SecretData{
             {"ca.crt", {ca.trust}}, {"tls.crt", {other.certificate}}, {"tls.key", {other.key}}};
       }()},
      {"due", good, kNow + 60 * kDay},
      {"expired", good, kNow + 91 * kDay},
      {"from the future", LeafOf(ca, kNow + kDay)},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const LeafVerdict verdict = NextStep(c.data, ca, Names(), c.now);
      CHECK(verdict.step == LeafStep::kIssue);
      CHECK_FALSE(verdict.reason.empty());
      CHECK(NextStep(LeafOf(ca, c.now), ca, Names(), c.now).step == LeafStep::kKeep);
    }
  }
}

TEST_CASE("certificate state: only the trust changes when only the trust is wrong",
          "[certificates]") {
  const Authority ca = Fresh();
  SecretData data = LeafOf(ca);
  data["ca.crt"].value = "";
  CHECK(NextStep(data, ca, Names(), kNow).step == LeafStep::kRefreshTrust);
  const Authority announced = AfterStep(ca, AuthorityStep::kAnnounce, Ca());
  CHECK(NextStep(LeafOf(ca), announced, Names(), kNow).step == LeafStep::kRefreshTrust);
}

}  // namespace
}  // namespace korder::admission
