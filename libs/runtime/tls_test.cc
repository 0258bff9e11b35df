#include "runtime/tls.h"

#include <deque>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "api/core/secret.h"
#include "base/mutex.h"
#include "base/testing/fake_clock.h"
#include "kube/client.h"
#include "kube/testing/fake_api_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/tls_check.h"

namespace korder::runtime {
namespace {

// Answers from a list; the last one again and again.
class ScriptedTransport final : public kube::HttpTransport {
 public:
  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions&) override {
    const MutexLock lock(mu_);
    targets_.push_back(request.method + " " + request.target);
    absl::StatusOr<kube::HttpResponse> answer = answers_.front();
    if (answers_.size() > 1) {
      answers_.pop_front();
    }
    return answer;
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest&,
                                            const kube::CallOptions&) override {
    return InternalError("a Secret that is waited for is read, not watched");
  }
  void Then(absl::StatusOr<kube::HttpResponse> answer) {
    const MutexLock lock(mu_);
    answers_.push_back(std::move(answer));
  }
  std::vector<std::string> targets() const {
    const MutexLock lock(mu_);
    return targets_;
  }

 private:
  mutable Mutex mu_;
  std::deque<absl::StatusOr<kube::HttpResponse>> answers_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> targets_ ABSL_GUARDED_BY(mu_);
};

constexpr char kSecretName[] = "korder-order-svc-tls";

api::Secret SecretOf(const TlsMaterial& tls) {
  api::Secret secret;
  secret.metadata.ns = "ns";
  secret.metadata.name = kSecretName;
  secret.data["ca.crt"] = {tls.ca};
  secret.data["tls.crt"] = {tls.certificate};
  secret.data["tls.key"] = {tls.key};
  return secret;
}

kube::HttpResponse Ok(const TlsMaterial& tls) {
  return {.status = 200, .body = json::Print(SecretOf(tls)), .retry_after = {}};
}

kube::HttpResponse NotFound() {
  return {.status = 404,
          .body = R"({"kind":"Status","status":"Failure","reason":"NotFound","code":404})",
          .retry_after = {}};
}

}  // namespace

TEST_CASE("tls: a service waits until its Secret is there and complete", "[tls]") {
  const TlsMaterial want = TestCa().Issue("korder-order-svc");
  TlsMaterial half = want;
  half.key = "";
  TlsMaterial no_ca = want;
  no_ca.ca = "";
  ScriptedTransport transport;
  transport.Then(UnavailableError("connection refused"));
  transport.Then(NotFound());
  transport.Then(Ok(half));
  transport.Then(Ok(no_ca));
  transport.Then(Ok(want));
  kube::Client client(transport);
  const auto got = WaitForTlsSecret(client, "korder-system", "korder-order-svc-tls", {});
  REQUIRE(got.ok());
  CHECK(*got == want);
  CHECK(transport.targets() ==
        std::vector<std::string>(
            5, "GET /api/v1/namespaces/korder-system/secrets/korder-order-svc-tls"));
}

TEST_CASE("tls: waiting for the Secret ends with CANCELLED on stop", "[tls]") {
  ScriptedTransport transport;
  transport.Then(NotFound());
  kube::Client client(transport);
  std::stop_source stop;
  stop.request_stop();
  CHECK(absl::IsCancelled(WaitForTlsSecret(client, "ns", "name", stop.get_token()).status()));
}

TEST_CASE("tls: each new certificate is handed over once, a broken one never", "[tls]") {
  const TestCa ca;
  const TlsMaterial first = ca.Issue("first");
  const TlsMaterial second = ca.Issue("second");
  TlsMaterial mixed = first;
  mixed.key = second.key;
  const TlsMaterial ended = ca.Issue("first", -absl::Minutes(1));
  TlsMaterial foreign = TestCa().Issue("first");
  foreign.ca = first.ca;
  FakeClock clock;
  kube::FakeApiServer server(clock);
  kube::Client client(server);
  REQUIRE(client.Create(SecretOf(first)).ok());
  const auto change = [&](const TlsMaterial& tls) {
    api::Secret secret = client.Get<api::Secret>({"ns", kSecretName}).value();
    secret.data = SecretOf(tls).data;
    secret.metadata.labels["looked-at"] += "x";  // Something changes each time.
    REQUIRE(client.Update(secret).ok());
  };
  api::Secret other = SecretOf(second);
  other.metadata.name = "somebody-elses";

  std::stop_source stop;
  std::vector<TlsMaterial> seen;
  // The first one is handed over at once; all that comes after waits in the watch meanwhile.
  FollowTlsSecret(client, "ns", kSecretName, stop.get_token(), [&](const TlsMaterial& tls) {
    seen.push_back(tls);
    if (seen.size() == 1) {
      change(first);
      REQUIRE(client.Create(other).ok());
      change(mixed);
      change(ended);
      change(foreign);
      REQUIRE(client.Delete<api::Secret>({"ns", kSecretName}).ok());
      REQUIRE(client.Create(SecretOf(second)).ok());
    } else {
      stop.request_stop();
    }
  });
  CHECK(seen == std::vector<TlsMaterial>{first, second});
}

TEST_CASE("tls check: a certificate that no peer would accept does not follow a good one",
          "[tls]") {
  const TestCa ca;
  const TlsMaterial good = ca.Issue("svc");
  const TlsMaterial ended = ca.Issue("svc", -absl::Minutes(1));
  TlsMaterial foreign = TestCa().Issue("svc");
  foreign.ca = good.ca;
  const absl::Time now = absl::Now();
  CHECK(CheckSuccessor(good, ca.Issue("svc"), now).ok());
  CHECK(CheckSuccessor(good, TestCa().Issue("svc"), now).ok());  // of another CA, with that CA
  CHECK(ToString(CheckSuccessor(good, ended, now)) == "FAILED_PRECONDITION: tls.crt: has ended");
  CHECK(ToString(CheckSuccessor(good, foreign, now)) ==
        "FAILED_PRECONDITION: tls.crt: was not signed by ca.crt");
  INFO("while the CA changes, both are trusted");
  TlsMaterial changing = TestCa().Issue("svc");
  changing.ca = good.ca + changing.ca;
  CHECK(CheckSuccessor(good, changing, now).ok());
  INFO("what has ended itself is worth nothing");
  CHECK(CheckSuccessor(ended, foreign, now).ok());
}

TEST_CASE("tls check: says which part cannot be used", "[tls]") {
  const TestCa ca;
  const TlsMaterial good = ca.Issue("good");
  CHECK(CheckTls(good).ok());
  struct Case {
    std::string name;
    TlsMaterial tls;
    std::string want;
  };
  const Case cases[] = {
      {"no certificate", {good.ca, "", good.key}, "tls.crt: is not a PEM certificate"},
      {"no key",
       {good.ca, good.certificate, "x"},
       "tls.key: is not an unencrypted PEM private key"},
      {"another key",
       {good.ca, good.certificate, ca.Issue("x").key},
       "tls.key: does not belong to tls.crt"},
      {"a CA that is none", {"x", good.certificate, good.key}, "ca.crt: is not a PEM certificate"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const absl::Status status = CheckTls(c.tls);
      CHECK(absl::IsInvalidArgument(status));
      CHECK(std::string(Message(status)) == c.want);
    }
  }
}

TEST_CASE("tls check: tells when a certificate ends", "[tls]") {
  const absl::Time ends = CertificateExpiry(TestCa().Issue("x"));
  CHECK(ends > absl::Now() + absl::Hours(23));
  CHECK(ends <= absl::Now() + absl::Hours(24));
}

}  // namespace korder::runtime
