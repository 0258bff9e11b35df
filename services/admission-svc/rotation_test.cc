// Certificates change under load, as the API server would see it: every request, on a new
// connection or an old one, trusts what the webhook configuration says at that moment.
#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "admission-svc/admission_handler.h"
#include "admission-svc/certificate_keeper.h"
#include "admission-svc/testing/policies.h"
#include "admission-svc/testing/requests.h"
#include "api/core/pod.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "prometheus/registry.h"
#include "runtime/http_server.h"
#include "runtime/testing/test_http_client.h"
#include "runtime/tls.h"

namespace korder::admission {
namespace {

constexpr char kNs[] = "korder-system";
constexpr char kTlsSecret[] = "korder-admission-svc-tls";

// One replica of admission-svc. TLS looks at the real clock, so the fake one stays behind it: at
// the beginning the CA is five hours old of its six, and the certificate has just been renewed.
struct Fixture {
  Fixture() {
    REQUIRE(client.Create(ChartConfiguration()).ok());
    Keep();
    clock.Advance(absl::Hours(3));
    Keep();
    server.emplace(runtime::HttpServerOptions{.listen = "127.0.0.1:0", .tls = Material()},
                   [this](const runtime::HttpServerRequest& r) { return handler.Handle(r); });
    REQUIRE(server->Start().ok());
    serving = std::jthread([this](std::stop_token stop) { (void)server->Run(stop); });
  }
  void Keep() {
    REQUIRE(keeper.KeepSecrets({}).ok());
    REQUIRE(keeper.KeepBundles({}).ok());
  }
  runtime::TlsMaterial Material() {
    const auto data = client.Get<api::Secret>({kNs, kTlsSecret})->data;
    return {data.at("ca.crt").value, data.at("tls.crt").value, data.at("tls.key").value};
  }
  std::string Bundle() {
    return client.Get<api::MutatingWebhookConfiguration>({"", kPodsConfiguration})
        ->webhooks[0]
        .client_config.ca_bundle.value;
  }

  FakeClock clock{absl::Now() - absl::Hours(5)};
  kube::FakeApiServer api_server{clock};
  kube::Client client{api_server};
  CertificateKeeper keeper{
      client, clock, {.ns = kNs, .ca_life = absl::Hours(6), .leaf_life = absl::Hours(3)}};
  prometheus::Registry registry;
  AdmissionHandler handler{{{.path = "/mutate/pods",
                             .group = "",
                             .resource = "pods",
                             .review = [](const auto&) { return Verdict{}; }}},
                           registry,
                           clock};
  std::optional<runtime::HttpServer> server;
  std::jthread serving;
};

std::string Review() {
  api::AdmissionReview review;
  review.request = CreateRequest<api::Pod>("{}");
  return json::Print(review);
}

TEST_CASE("certificates: twenty rotations under load, the CA's among them, fail no admission",
          "[rotation]") {
  Fixture f;
  std::atomic<int> failed = 0;
  std::atomic<int> served = 0;
  const auto ask = [&](runtime::TestHttpClient& client) {
    const bool good = client.Do("POST", "/mutate/pods?timeout=3s", Review()).status == 200;
    (good ? served : failed) += 1;
  };
  std::vector<std::jthread> load;
  for (int i = 0; i < 2; ++i) {
    load.emplace_back([&](std::stop_token stop) {
      runtime::TestHttpClient old(f.server->port(), f.Bundle());
      while (!stop.stop_requested()) {
        try {
          runtime::TestHttpClient fresh(f.server->port(), f.Bundle());
          ask(fresh);
          ask(fresh);
        } catch (const std::exception&) {  // no handshake
          ++failed;
        }
        ask(old);
      }
    });
  }
  std::set<std::string> used;
  for (int round = 0; round < 20; ++round) {
    if (round < 2) {
      // First the CA's successor is announced, then it signs.
      f.clock.Advance(round == 0 ? absl::Hours(1) : absl::Minutes(6));
    } else {
      REQUIRE(f.client.Delete<api::Secret>({kNs, kTlsSecret}).ok());
    }
    // Who comes first, the API server or the service, is left to chance.
    REQUIRE(f.keeper.KeepSecrets({}).ok());
    if (round % 2 == 0) {
      f.server->SetTls(f.Material());
      REQUIRE(f.keeper.KeepBundles({}).ok());
    } else {
      REQUIRE(f.keeper.KeepBundles({}).ok());
      f.server->SetTls(f.Material());
    }
    used.insert(f.Material().certificate);
    const int before = served;
    for (int i = 0; i < 1000 && served < before + 8; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  load.clear();
  CHECK(failed == 0);
  CHECK(served >= 20 * 8);
  CHECK(used.size() >= 19);  // the announcement alone makes no new certificate
  CHECK_FALSE(AuthorityFrom(f.client.Get<api::Secret>({kNs, kCaSecret})->data).previous.empty());
}

// What happens to the Secret of a certificate.
enum class Mishap { kRenewed, kEnded, kOfAnotherCa, kMissing };

void Befall(Fixture& f, Mishap mishap) {
  if (mishap == Mishap::kRenewed || mishap == Mishap::kMissing) {
    REQUIRE(f.client.Delete<api::Secret>({kNs, kTlsSecret}).ok());
    return;
  }
  const bool ended = mishap == Mishap::kEnded;
  const KeyPair other = MintCa(f.clock.Now(), absl::Hours(6)).value();
  const KeyPair ours = AuthorityFrom(f.client.Get<api::Secret>({kNs, kCaSecret})->data).issuer;
  api::Secret secret = f.client.Get<api::Secret>({kNs, kTlsSecret}).value();
  const KeyPair leaf =
      MintLeaf(ended ? ours : other, Inspect(f.Material().certificate)->dns_names,
               f.clock.Now() - (ended ? absl::Hours(5) : absl::ZeroDuration()), absl::Hours(3))
          .value();
  secret.data["tls.crt"] = {leaf.certificate};
  secret.data["tls.key"] = {leaf.key};
  REQUIRE(f.client.Update(secret).ok());
}

TEST_CASE(
    "certificates: twenty that are renewed, ended, of another CA or missing fail no admission",
    "[rotation]") {
  Fixture f;
  std::atomic<int> changes = 0;
  const std::jthread follow([&](std::stop_token stop) {
    runtime::FollowTlsSecret(f.client, kNs, kTlsSecret, stop, [&](const auto& tls) {
      f.server->SetTls(tls);
      ++changes;
    });
  });
  const auto eventually = [](const auto& holds) {
    for (int i = 0; i < 2000 && !holds(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return holds();
  };
  REQUIRE(eventually([&] { return changes == 1; }));
  std::atomic<int> failed = 0;
  std::atomic<int> served = 0;
  std::jthread load([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      bool good = false;
      try {
        runtime::TestHttpClient fresh(f.server->port(), f.Bundle());
        good = fresh.Do("POST", "/mutate/pods?timeout=3s", Review()).status == 200;
      } catch (const std::exception&) {  // no handshake
      }
      (good ? served : failed) += 1;
    }
  });
  const auto serves_more = [&] {
    return eventually([&, before = served.load()] { return served >= before + 5; });
  };
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    const auto mishap = static_cast<Mishap>(round % 4);
    Befall(f, mishap);
    if (mishap != Mishap::kRenewed) {
      CHECK(serves_more());  // while nobody repairs it
    }
    REQUIRE(f.keeper.KeepSecrets({}).ok());
    CHECK(eventually([&] { return changes == round + 2; }));
    CHECK(serves_more());
  }
  load = {};
  CHECK(failed == 0);
  CHECK(changes == 21);  // the first one and each repair, none of the others
}

TEST_CASE("certificates: when the CA was taken away, admission works again after one look",
          "[rotation]") {
  Fixture f;
  REQUIRE(f.client.Delete<api::Secret>({kNs, kCaSecret}).ok());
  f.Keep();
  f.server->SetTls(f.Material());
  runtime::TestHttpClient client(f.server->port(), f.Bundle());
  CHECK(client.Do("POST", "/mutate/pods", Review()).status == 200);
}

}  // namespace
}  // namespace korder::admission
