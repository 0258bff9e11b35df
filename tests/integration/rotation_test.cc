// All certificates change on a real control plane while pods that insist on korder are created:
// none of them is refused.
#include <algorithm>
#include <array>
#include <iostream>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "api/core/secret.h"
#include "cluster.h"
#include "pod_load.h"

namespace korder::integration {
namespace {

// In the order of `scripts/services status`.
constexpr auto kServices =
    std::to_array<const char*>({"quota-svc", "order-svc", "ticket-svc", "admission-svc"});

constexpr char kNs[] = "korder-system";

class Certificates {
 public:
  explicit Certificates(Cluster& cluster) : cluster_(cluster) {}

  // Of the four services, in their Secrets; empty while one of them is missing.
  std::vector<std::string> Kept() {
    std::vector<std::string> kept;
    for (const char* service : kServices) {
      const auto secret = cluster_.client().Get<api::Secret>({kNs, SecretOf(service)});
      if (!secret.ok()) {
        return {};
      }
      kept.push_back(secret->data.at("tls.crt").value);
    }
    return kept;
  }
  // What the services show to who calls them: gRPC of all four, and last the webhooks.
  std::vector<std::string> Shown() {
    return absl::StrSplit(
        cluster_.Shell(
            "scripts/services status --name $KORDER_INSTANCE | awk '{print $5; last = $5} END "
            "{sub(/:.*/, \":9443\", last); print last}' | while read address; do openssl s_client "
            "-alpn h2 -connect $address </dev/null 2>/dev/null | openssl x509; echo ,; done"),
        ",\n", absl::SkipEmpty());
  }
  void DeleteAll() {
    for (const char* service : kServices) {
      const absl::Status gone = cluster_.client().Delete<api::Secret>({kNs, SecretOf(service)});
      REQUIRE((gone.ok() || absl::IsNotFound(gone)));
    }
  }

 private:
  static std::string SecretOf(const std::string& service) {
    return absl::StrCat("korder-", service, "-tls");
  }
  Cluster& cluster_;
};

// True when a service has the same certificate in both.
bool Share(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  for (size_t i = 0; i < one.size() && i < other.size(); ++i) {
    if (one[i] == other[i]) {
      return true;
    }
  }
  return false;
}

TEST_CASE("rotation: changes of all certificates and of the CA under load refuse no pod",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("rotation");
  REQUIRE(cluster
              .Apply(absl::StrCat(
                  "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: o, "
                  "namespace: ",
                  ns,
                  "}, spec: {replicas: 2, template: {spec: {duration: 1h, resources: {requests: "
                  "{cpu: 10m, memory: 1Mi}}}}}}"))
              .exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets(ns) == 2; }));
  Certificates certificates(cluster);
  kube::Client& client = cluster.client();
  const auto ca = [&](const std::string& key) {
    const auto secret = client.Get<api::Secret>({kNs, "korder-ca"});
    return secret.ok() && secret->data.contains(key) ? secret->data.at(key).value : "";
  };

  // Every tenth pod is refused unless ticket-svc is reached and trusted, too.
  PodLoad load(client, {.ns = ns, .per_second = 200, .deny_every = 10});
  std::set<std::vector<std::string>> used = {certificates.Kept()};
  // Twenty changes, or fewer where the machine is slow.
  const absl::Time end = absl::Now() + absl::Seconds(30);
  for (int round = 0; round < 21 && (round < 6 || absl::Now() < end); ++round) {
    INFO("round " << round);
    if (round == 2) {  // The CA's successor is announced.
      REQUIRE(client.Delete<api::Secret>({kNs, "korder-ca"}).ok());
      REQUIRE(Eventually(absl::Seconds(20), [&] { return !ca("next.crt").empty(); }));
      // All have heard of it after this, if not after the five minutes that admission-svc waits.
      std::this_thread::sleep_for(std::chrono::seconds(3));
      continue;
    }
    if (round == 3) {
      // It signs, as when admission-svc has announced it for five minutes.
      api::Secret secret = client.Get<api::Secret>({kNs, "korder-ca"}).value();
      auto& data = secret.data;
      data["previous.crt"] = data["tls.crt"];
      data["tls.crt"] = data["next.crt"];
      data["tls.key"] = data["next.key"];
      data.erase("next.crt");
      data.erase("next.key");
      REQUIRE(client.Update(secret).ok());
    } else {
      certificates.DeleteAll();
    }
    std::vector<std::string> kept;
    const auto all_new = [&] {
      kept = certificates.Kept();
      return !kept.empty() && std::none_of(used.begin(), used.end(),
                                           [&](const auto& before) { return Share(before, kept); });
    };
    REQUIRE(Eventually(absl::Seconds(20), all_new));
    used.insert(kept);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // Some pods meet it.
  }
  std::vector<std::string> shown = certificates.Kept();
  shown.push_back(shown.back());
  CHECK(Eventually(absl::Seconds(10), [&] { return certificates.Shown() == shown; }));
  const PodLoad::Result result = load.Stop();
  std::cout << absl::StreamFormat(
                   "rotation: %d asking pods, %.0f/s of 200/s offered, %d failed; %d sets of "
                   "certificates\n",
                   result.sent, result.per_second, result.failed, used.size())
            << std::flush;
  INFO(result.first_error);
  CHECK(result.failed == 0);
  CHECK(result.per_second > 20);
  CHECK(used.size() >= 6);
  CHECK_FALSE(ca("previous.crt").empty());

  INFO("the services still trust each other");
  cluster.Shell("kubectl -n " + ns + " scale order o --replicas=5");
  CHECK(Eventually(absl::Seconds(20), [&] { return cluster.ReadyTickets(ns) == 5; }));
}

}  // namespace
}  // namespace korder::integration
