// The shells around the deciders for ClaimPolicies, on an API server in memory.
#include "admission-svc/policy_reconciler.h"

#include <catch2/catch.hpp>

#include "admission-svc/testing/policies.h"
#include "api/v1alpha1/reasons.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "kube/testing/sync_store.h"

namespace korder::admission {
namespace {

const kube::ObjectKey kConfiguration{"", kPodsConfiguration};
const kube::ObjectKey kShop{"default", "web"};

// admission-svc's leader. Its watches catch up when a test says so.
struct Fixture {
  Fixture() {
    policies.AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
    pods.AddIndex(kByPolicy, PolicyOf);
  }

  void Sync() {
    const auto ignore = [](auto*, auto*) {};
    kube::SyncStore(client, "", policies, ignore);
    kube::SyncStore(client, "", configurations, ignore);
    kube::SyncStore(client, "korder.dev/claim", pods, ignore);
  }
  void AddPod(const std::string& name, const std::string& claim, const std::string& policy) {
    api::Pod pod;
    pod.metadata.ns = "default";
    pod.metadata.name = name;
    pod.metadata.labels = {{"korder.dev/claim", claim}};
    pod.metadata.annotations = {{"korder.dev/claim-policy", policy}};
    REQUIRE(client.Create(pod).ok());
  }
  // OK, or the error; and the pause that was asked for.
  absl::StatusOr<std::optional<absl::Duration>> Look() {
    Sync();
    const auto result = statuses.Reconcile(kShop, {});
    return result.ok() ? absl::StatusOr<std::optional<absl::Duration>>(result->requeue_after())
                       : result.status();
  }
  absl::Status LookAtEntries() {
    Sync();
    return entries.Reconcile(kConfiguration, {}).status();
  }
  api::ClaimPolicyStatus Status() { return client.Get<api::ClaimPolicy>(kShop)->status; }
  std::string Reason() {
    return api::FindCondition(Status().conditions, api::kConditionReady)->reason;
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
  kube::Store<api::ClaimPolicy> policies;
  kube::Store<api::MutatingWebhookConfiguration> configurations;
  kube::Store<ClaimingPod> pods;
  const PolicyStores stores{policies, configurations, pods};
  kube::EventRecorder events{client, clock, {.component = "test", .instance = "test"}};
  EntryReconciler entries{client, stores, "korder-system"};
  PolicyReconciler statuses{client, stores, events, clock};
};

TEST_CASE("claim policy: it is Ready once the API server knows, and not before", "[policy]") {
  Fixture f;
  REQUIRE(f.client.Create(*MakePolicy("default", "web")).ok());
  REQUIRE(f.Look().ok());
  CHECK(f.Reason() == api::kReasonNoWebhook);

  REQUIRE(f.client.Create(ChartConfiguration()).ok());
  f.clock.Advance(absl::Seconds(2));
  REQUIRE(f.Look().ok());
  CHECK(f.Reason() == api::kReasonWebhookPending);

  REQUIRE(f.LookAtEntries().ok());
  f.clock.Advance(absl::Seconds(2));
  REQUIRE(f.Look().ok());
  CHECK(f.Reason() == api::kReasonAccepted);

  f.server.ClearLog();
  REQUIRE(f.Look().ok());
  REQUIRE(f.LookAtEntries().ok());
  CHECK(f.server.Count("update", "") + f.server.Count("patch", "") == 0);
}

TEST_CASE("claim policy: a storm of pods costs one write per second", "[policy]") {
  Fixture f;
  REQUIRE(f.client.Create(*MakePolicy("default", "web")).ok());
  REQUIRE(f.Look().ok());
  f.server.ClearLog();
  for (int i = 0; i < 10; ++i) {
    f.AddPod("p" + std::to_string(i), i < 3 ? "pending" : "claimed", "web");
    f.clock.Advance(absl::Milliseconds(50));
    const auto pause = f.Look();
    REQUIRE(pause.ok());
    REQUIRE(pause->has_value());
  }
  CHECK(f.server.Count("update", "claimpolicies/status") == 0);
  f.AddPod("foreign", "claimed", "another");
  f.clock.Advance(absl::Seconds(1));
  REQUIRE(f.Look().ok());
  CHECK(f.server.Count("update", "claimpolicies/status") == 1);
  CHECK(f.Status().claimed == 7);
  CHECK(f.Status().waiting == 3);
}

TEST_CASE("claim policy: an entry written on what is not newest is decided on anew", "[policy]") {
  Fixture f;
  REQUIRE(f.client.Create(*MakePolicy("default", "web")).ok());
  REQUIRE(f.client.Create(ChartConfiguration()).ok());
  f.Sync();
  REQUIRE(f.client
              .Patch<api::MutatingWebhookConfiguration>(
                  kConfiguration, {.type = kube::PatchType::kJson},
                  R"([{"op":"add","path":"/webhooks/0","value":{"name":"other.example.com"}}])")
              .ok());
  CHECK(absl::IsAborted(f.entries.Reconcile(kConfiguration, {}).status()));
  CHECK(f.client.Get<api::MutatingWebhookConfiguration>(kConfiguration)->webhooks.size() == 3);
  CHECK(f.LookAtEntries().ok());
  CHECK(f.client.Get<api::MutatingWebhookConfiguration>(kConfiguration)->webhooks.size() == 4);
}

TEST_CASE("claim policy: one that slipped past admission says once what is wrong", "[policy]") {
  Fixture f;
  api::ClaimPolicy malformed = *MakePolicy("default", "web");
  malformed.spec.claim_timeout = api::DurationField::FromText("soon");
  REQUIRE(f.client.Create(malformed).ok());
  REQUIRE(f.client.Create(ChartConfiguration()).ok());
  REQUIRE(f.LookAtEntries().ok());
  REQUIRE(f.Look().ok());
  CHECK(f.Reason() == api::kReasonInvalidSpec);
  f.AddPod("p", "claimed", "web");
  f.clock.Advance(absl::Seconds(2));
  REQUIRE(f.Look().ok());
  std::stop_source stop;
  stop.request_stop();  // sends what is recorded, and ends
  f.events.Run(stop.get_token());
  CHECK(f.server.Count("create", "events") == 1);
  CHECK(f.client.Get<api::MutatingWebhookConfiguration>(kConfiguration)->webhooks.size() == 2);
}

TEST_CASE("claim policy: one that is gone is forgotten, and a lost configuration is no error",
          "[policy]") {
  Fixture f;
  CHECK(f.Look().ok());
  CHECK(f.LookAtEntries().ok());
  REQUIRE(f.client.Create(*MakePolicy("default", "web")).ok());
  REQUIRE(f.client.Create(ChartConfiguration()).ok());
  f.Sync();
  REQUIRE(f.client.Delete<api::MutatingWebhookConfiguration>(kConfiguration).ok());
  REQUIRE(f.client.Delete<api::ClaimPolicy>(kShop).ok());
  CHECK(f.entries.Reconcile(kConfiguration, {}).ok());
  CHECK(f.statuses.Reconcile(kShop, {}).ok());
}

}  // namespace
}  // namespace korder::admission
