#include "admission-svc/certificate_keeper.h"

#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "api/core/webhook_configuration.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "runtime/tls_check.h"

namespace korder::admission {
namespace {

constexpr char kNs[] = "korder-system";
const absl::Duration kDay = absl::Hours(24);

// The keeper of one replica, and the cluster it writes to.
struct Fixture {
  api::Secret Secret(const std::string& name) {
    return client.Get<api::Secret>({kNs, name}).value();
  }
  Authority Ca() { return AuthorityFrom(Secret(kCaSecret).data); }
  std::string Certificate(const std::string& service) {
    return Secret(service + "-tls").data.at("tls.crt").value;
  }
  void Keep() {
    REQUIRE(keeper.KeepSecrets({}).ok());
    REQUIRE(keeper.KeepBundles({}).ok());
  }
  int Writes() {
    return server.Count("create", "secrets") + server.Count("update", "secrets") +
           server.Count("create", "configmaps") + server.Count("update", "configmaps") +
           server.Count("patch", "mutatingwebhookconfigurations") +
           server.Count("patch", "validatingwebhookconfigurations");
  }
  void MakeConfigurations() {
    api::MutatingWebhookConfiguration pods;
    pods.metadata.name = kPodsConfiguration;
    pods.webhooks = {{.name = "pods.korder.dev", .client_config = {}},
                     {.name = "strict.pods.korder.dev", .client_config = {}}};
    REQUIRE(client.Create(pods).ok());
    api::ValidatingWebhookConfiguration validation;
    validation.metadata.name = kValidationConfiguration;
    validation.webhooks = {{.name = "orders.validation.korder.dev", .client_config = {}}};
    REQUIRE(client.Create(validation).ok());
  }
  std::vector<std::string> Bundles() {
    std::vector<std::string> bundles;
    const auto pods =
        client.Get<api::MutatingWebhookConfiguration>({"", kPodsConfiguration}).value();
    for (const auto& webhook : pods.webhooks) {
      bundles.push_back(webhook.client_config.ca_bundle.value);
    }
    const auto validation =
        client.Get<api::ValidatingWebhookConfiguration>({"", kValidationConfiguration}).value();
    for (const auto& webhook : validation.webhooks) {
      bundles.push_back(webhook.client_config.ca_bundle.value);
    }
    return bundles;
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
  CertificateKeeper keeper{client, clock, {.ns = kNs}};
};

TEST_CASE("certificate keeper: at the first look there is a CA and a certificate per service",
          "[certificates]") {
  Fixture f;
  f.Keep();
  for (const char* service :
       {"korder-order-svc", "korder-ticket-svc", "korder-quota-svc", "korder-admission-svc"}) {
    INFO(service);
    const api::Secret secret = f.Secret(std::string(service) + "-tls");
    CHECK(secret.type == "kubernetes.io/tls");
    CHECK(CheckIssued(f.Certificate(service), f.Ca().trust, f.clock.Now()).ok());
    CHECK(Inspect(f.Certificate(service))->common_name == service);
    CHECK(runtime::CheckTls({secret.data.at("ca.crt").value, secret.data.at("tls.crt").value,
                             secret.data.at("tls.key").value})
              .ok());
  }
}

TEST_CASE("certificate keeper: what is right is not written again", "[certificates]") {
  Fixture f;
  f.MakeConfigurations();
  f.Keep();
  f.server.ClearLog();
  f.clock.Advance(kDay);
  f.Keep();
  CHECK(f.Writes() == 0);
}

TEST_CASE("certificate keeper: every webhook gets the CA bundle, also after somebody took it away",
          "[certificates]") {
  Fixture f;
  f.MakeConfigurations();
  f.Keep();
  CHECK(f.Bundles() == std::vector<std::string>(3, f.Ca().trust));
  REQUIRE(f.client
              .Patch<api::MutatingWebhookConfiguration>(
                  {"", kPodsConfiguration}, {.type = kube::PatchType::kStrategicMerge},
                  R"({"webhooks":[{"name":"pods.korder.dev","clientConfig":{"caBundle":"YQ=="}}]})")
              .ok());
  CHECK(f.Bundles()[0] == "a");
  f.Keep();
  CHECK(f.Bundles() == std::vector<std::string>(3, f.Ca().trust));
}

TEST_CASE("certificate keeper: everybody may read the CA bundle, and it is repaired",
          "[certificates]") {
  Fixture f;
  f.Keep();
  const auto bundle = [&] {
    return f.client.Get<api::ConfigMap>({kNs, kCaConfigMap})->data.at("ca.crt");
  };
  CHECK(bundle() == f.Ca().trust);
  REQUIRE(
      f.client.Patch<api::ConfigMap>({kNs, kCaConfigMap}, {}, R"({"data":{"ca.crt":"x"}})").ok());
  f.Keep();
  CHECK(bundle() == f.Ca().trust);
  REQUIRE(f.client.Delete<api::ConfigMap>({kNs, kCaConfigMap}).ok());
  f.Keep();
  CHECK(bundle() == f.Ca().trust);
}

TEST_CASE("certificate keeper: without webhook configurations it keeps the Secrets alone",
          "[certificates]") {
  Fixture f;
  f.Keep();
  CHECK(f.server.Count("patch", "") == 0);
}

TEST_CASE("certificate keeper: a deleted certificate comes back, the CA stays", "[certificates]") {
  Fixture f;
  f.Keep();
  const std::string trust = f.Ca().trust;
  REQUIRE(f.client.Delete<api::Secret>({kNs, "korder-order-svc-tls"}).ok());
  f.Keep();
  CHECK(f.Ca().trust == trust);
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), trust, f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: a damaged certificate is replaced", "[certificates]") {
  Fixture f;
  f.Keep();
  api::Secret secret = f.Secret("korder-quota-svc-tls");
  secret.data["tls.crt"] = {"damaged"};
  REQUIRE(f.client.Update(secret).ok());
  f.Keep();
  CHECK(CheckIssued(f.Certificate("korder-quota-svc"), f.Ca().trust, f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: a CA that somebody deleted is put back, and succeeded in peace",
          "[certificates]") {
  Fixture f;
  f.MakeConfigurations();
  f.Keep();
  const std::string old_ca = f.Ca().issuer.certificate;
  const std::string old_leaf = f.Certificate("korder-order-svc");
  REQUIRE(f.client.Delete<api::Secret>({kNs, kCaSecret}).ok());
  f.Keep();
  CHECK(f.Ca().issuer.certificate == old_ca);
  CHECK(f.Certificate("korder-order-svc") == old_leaf);
  CHECK(f.Bundles() == std::vector<std::string>(3, f.Ca().trust));
  f.clock.Advance(absl::Minutes(6));
  f.Keep();
  CHECK(f.Ca().issuer.certificate != old_ca);
  CHECK(CheckIssued(old_leaf, f.Bundles()[0], f.clock.Now()).ok());
  f.clock.Advance(absl::Minutes(10));
  f.Keep();
  CHECK_FALSE(CheckIssued(old_leaf, f.Bundles()[0], f.clock.Now()).ok());
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), f.Bundles()[0], f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: one that remembers no CA makes everything anew, and it is one again",
          "[certificates]") {
  Fixture f;
  f.MakeConfigurations();
  f.Keep();
  const std::string before = f.Ca().trust;
  REQUIRE(f.client.Delete<api::Secret>({kNs, kCaSecret}).ok());
  CertificateKeeper started_later(f.client, f.clock, {.ns = kNs});
  REQUIRE(started_later.KeepSecrets({}).ok());
  REQUIRE(started_later.KeepBundles({}).ok());
  CHECK(f.Ca().trust != before);
  CHECK_FALSE(CheckIssued(f.Certificate("korder-order-svc"), before, f.clock.Now()).ok());
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), f.Ca().trust, f.clock.Now()).ok());
  CHECK(f.Bundles() == std::vector<std::string>(3, f.Ca().trust));
}

TEST_CASE("certificate keeper: a certificate is renewed when two thirds of its life are over",
          "[certificates]") {
  Fixture f;
  f.Keep();
  const std::string before = f.Certificate("korder-order-svc");
  f.clock.Advance(59 * kDay);
  f.Keep();
  CHECK(f.Certificate("korder-order-svc") == before);
  f.clock.Advance(2 * kDay);
  f.Keep();
  CHECK(f.Certificate("korder-order-svc") != before);
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), f.Ca().trust, f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: while the CA changes, old and new certificates are trusted by all",
          "[certificates]") {
  Fixture f;
  f.MakeConfigurations();
  f.Keep();
  f.clock.Advance(2 * 1217 * kDay);  // Two thirds of ten years.
  f.Keep();                          // Announces the successor.
  const std::string old_leaf = f.Certificate("korder-order-svc");
  const std::string announced = f.Ca().trust;
  CHECK(f.Ca().next.has_value());
  CHECK(f.Bundles() == std::vector<std::string>(3, announced));
  f.clock.Advance(absl::Minutes(6));
  f.Keep();  // The successor signs.
  const std::string new_leaf = f.Certificate("korder-order-svc");
  CHECK(new_leaf != old_leaf);
  CHECK_FALSE(f.Ca().next.has_value());
  for (const std::string& leaf : {old_leaf, new_leaf}) {
    CHECK(CheckIssued(leaf, announced, f.clock.Now()).ok());
    CHECK(CheckIssued(leaf, f.Ca().trust, f.clock.Now()).ok());
  }
}

TEST_CASE("certificate keeper: two replicas that start at once agree on one CA", "[certificates]") {
  Fixture f;
  CertificateKeeper other(f.client, f.clock, {.ns = kNs});
  bool raced = false;
  // The other replica does everything just before this one's first write.
  f.server.OnWrite({.before =
                        [&](const kube::ServedCall&) {
                          if (!raced) {
                            raced = true;
                            REQUIRE(other.KeepSecrets({}).ok());
                          }
                        },
                    .after = {}});
  CHECK(absl::IsAborted(f.keeper.KeepSecrets({})));
  const std::string trust = f.Ca().trust;
  REQUIRE(f.keeper.WaitForSecrets({}).ok());
  CHECK(f.Ca().trust == trust);
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), trust, f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: a write whose answer is lost is found done", "[certificates]") {
  Fixture f;
  f.server.LoseNextResponse("create", "secrets", 3);
  REQUIRE(f.keeper.WaitForSecrets({}).ok());
  CHECK(CheckIssued(f.Certificate("korder-order-svc"), f.Ca().trust, f.clock.Now()).ok());
}

TEST_CASE("certificate keeper: waiting ends on stop", "[certificates]") {
  Fixture f;
  f.server.FailNext("", "secrets", 503, 1'000'000);
  std::stop_source stop;
  stop.request_stop();
  CHECK(absl::IsCancelled(f.keeper.WaitForSecrets(stop.get_token())));
}

TEST_CASE("certificate keeper: it is ready when configurations hold the bundle, not before",
          "[certificates]") {
  Fixture f;
  CHECK_FALSE(f.keeper.Ready().ok());
  f.MakeConfigurations();
  std::stop_source stop;
  f.server.OnWrite({.before = {}, .after = [&](const kube::ServedCall& call) {
                      if (call.resource == "validatingwebhookconfigurations") {
                        CHECK_FALSE(f.keeper.Ready().ok());
                        stop.request_stop();
                      }
                    }});
  f.keeper.Run(stop.get_token());
  CHECK(f.keeper.Ready().ok());
}

// The keeper beside somebody else who makes the certificates: here another keeper.
struct ExternalFixture : Fixture {
  ExternalFixture() { MakeConfigurations(); }
  std::string PublicBundle() {
    return client.Get<api::ConfigMap>({kNs, kCaConfigMap}).value().data.at("ca.crt");
  }
  CertificateKeeper follower{client, clock, {.ns = kNs, .source = CertificateSource::kExternal}};
};

TEST_CASE("certificate keeper: certificates that somebody else makes are waited for, not made",
          "[certificates]") {
  ExternalFixture f;
  CHECK(absl::IsNotFound(f.follower.KeepSecrets({})));
  CHECK(f.Writes() == 0);
}

TEST_CASE("certificate keeper: of certificates that somebody else makes only the CA is published",
          "[certificates]") {
  ExternalFixture f;
  REQUIRE(f.keeper.KeepSecrets({}).ok());
  f.server.ClearLog();
  REQUIRE(f.follower.KeepSecrets({}).ok());
  REQUIRE(f.follower.KeepBundles({}).ok());
  CHECK(f.PublicBundle() == f.Ca().trust);
  CHECK(f.Writes() == 1);
  CHECK(f.Bundles() == std::vector<std::string>(3, ""));

  // It follows when they change, and repairs nothing that is not its own.
  REQUIRE(f.client.Delete<api::Secret>({kNs, kCaSecret}).ok());
  REQUIRE(f.keeper.KeepSecrets({}).ok());
  REQUIRE(f.client.Delete<api::Secret>({kNs, "korder-order-svc-tls"}).ok());
  f.server.ClearLog();
  REQUIRE(f.follower.KeepSecrets({}).ok());
  REQUIRE(f.follower.KeepBundles({}).ok());
  CHECK(f.PublicBundle() == f.Ca().trust);
  CHECK(f.Writes() == 1);
}

TEST_CASE("certificate keeper: a certificate from elsewhere without its CA is of no use",
          "[certificates]") {
  ExternalFixture f;
  REQUIRE(f.keeper.KeepSecrets({}).ok());
  api::Secret secret = f.Secret("korder-admission-svc-tls");
  secret.data.erase("ca.crt");
  REQUIRE(f.client.Update(secret).ok());
  CHECK_THAT(ToString(f.follower.KeepSecrets({})), Catch::Contains("ca.crt: is missing"));
}

}  // namespace
}  // namespace korder::admission
