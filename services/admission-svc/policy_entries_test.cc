#include "admission-svc/policy_entries.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "admission-svc/policy_status.h"
#include "admission-svc/testing/policies.h"
#include "api/meta/condition.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/reasons.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"

namespace korder::admission {
namespace {

// A configuration on an API server that applies the patches.
struct Fixture {
  Fixture() { REQUIRE(client.Create(ChartConfiguration()).ok()); }

  api::MutatingWebhookConfiguration Now() {
    return client.Get<api::MutatingWebhookConfiguration>({"", "korder-pods"}).value();
  }
  // False when there was nothing to do.
  bool Apply(const std::vector<PolicyPtr>& policies) {
    const std::string patch = DecideEntries(Now(), policies, "korder-system");
    if (patch.empty()) {
      return false;
    }
    const auto patched = client.Patch<api::MutatingWebhookConfiguration>(
        {"", "korder-pods"}, {.type = kube::PatchType::kJson}, patch);
    INFO(patch << "\n" << ToString(patched.status()));
    REQUIRE(patched.ok());
    CHECK(DecideEntries(*patched, policies, "korder-system").empty());
    return true;
  }
  // "name: namespaces" of every entry for policies.
  std::vector<std::string> Entries() {
    std::vector<std::string> entries;
    for (const api::Webhook& webhook : Now().webhooks) {
      if (IsPolicyEntry(webhook)) {
        entries.push_back(absl::StrCat(
            webhook.name, ": ",
            absl::StrJoin(webhook.namespace_selector->match_expressions.back().values, " ")));
      }
    }
    return entries;
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
};

using Strings = std::vector<std::string>;

TEST_CASE("policy entries: one serves the namespaces that have a policy, and goes with the last",
          "[policy]") {
  Fixture f;
  CHECK_FALSE(f.Apply({}));
  CHECK(f.Apply({MakePolicy("b", "web"), MakePolicy("a", "web"), MakePolicy("a", "db")}));
  CHECK(f.Entries() == Strings{"policies.pods.korder.dev: a b"});
  CHECK_FALSE(f.Apply({MakePolicy("a", "web"), MakePolicy("b", "web")}));
  CHECK(f.Apply({MakePolicy("b", "web")}));
  CHECK(f.Entries() == Strings{"policies.pods.korder.dev: b"});
  CHECK(f.Apply({}));
  CHECK(f.Now().webhooks == ChartConfiguration().webhooks);
}

TEST_CASE("policy entries: an entry is the chart's webhook, for other pods", "[policy]") {
  Fixture f;
  f.Apply({MakePolicy("a", "web")});
  const api::Webhook model = f.Now().webhooks[0];
  const api::Webhook entry = f.Now().webhooks.back();
  CHECK(entry.client_config == model.client_config);
  CHECK(entry.rules == model.rules);
  CHECK(entry.timeout_seconds == 3);
  CHECK(entry.failure_policy == "Ignore");
  CHECK(entry.reinvocation_policy == "IfNeeded");
  CHECK(entry.namespace_selector->match_expressions[0] ==
        model.namespace_selector->match_expressions[0]);
  REQUIRE(entry.match_conditions.size() == 2);
  CHECK(entry.match_conditions[0].expression ==
        "!((has(object.metadata.annotations) && 'korder.dev/required' in "
        "object.metadata.annotations) || (has(object.metadata.labels) && 'korder.dev/required' in "
        "object.metadata.labels)) || (has(object.metadata.annotations) && "
        "'korder.dev/claim-policy' in object.metadata.annotations)");
  CHECK(entry.match_conditions[1].expression ==
        "request.userInfo.username != 'system:serviceaccount:korder-system:korder-ticket-svc'");
}

TEST_CASE("policy entries: a policy that would rather have no pod refuses its own pods only",
          "[policy]") {
  Fixture f;
  f.Apply({MakePolicy("a", "web", {.uid = "u1", .fallback = api::ClaimFallback::kWait}),
           MakePolicy("b", "web", {.uid = "u2", .fallback = api::ClaimFallback::kDeny}),
           MakePolicy("c", "db",
                      {.uid = "u3",
                       .created = absl::UnixEpoch() + absl::Seconds(1),
                       .fallback = api::ClaimFallback::kDeny}),
           MakePolicy("c", "mail", {.uid = "u4"})});
  CHECK(f.Entries() == Strings{"policies.pods.korder.dev: c", "u1.policies.pods.korder.dev: a b",
                               "u3.policies.pods.korder.dev: c"});
  const api::Webhook strict = f.Now().webhooks[3];
  CHECK(strict.failure_policy == "Fail");
  CHECK(strict.object_selector->match_labels == api::Labels{{"app", "web"}});
}

TEST_CASE("policy entries: nobody can take all places for refusing entries and break the rest",
          "[policy]") {
  Fixture f;
  std::vector<PolicyPtr> policies;
  for (size_t i = 0; i <= kMaxStrictEntries; ++i) {
    policies.push_back(MakePolicy("a", absl::StrCat("app-", 100 + i),
                                  {.uid = absl::StrCat("u", i),
                                   .created = absl::UnixEpoch() + absl::Seconds(i),
                                   .fallback = api::ClaimFallback::kWait}));
  }
  f.Apply({policies.rbegin(), policies.rend()});
  CHECK(f.Entries().size() == kMaxStrictEntries + 1);
  INFO("the youngest is served all the same, and says what it lacks");
  CHECK(CoverageOf(f.Now(), *policies.front()) == Coverage::kServed);
  CHECK(CoverageOf(f.Now(), *policies.back()) == Coverage::kServedUnlessDown);
}

TEST_CASE("policy entries: what somebody changed by hand is repaired, and foreign entries stay",
          "[policy]") {
  Fixture f;
  const std::vector<PolicyPtr> policies = {MakePolicy("a", "web")};
  f.Apply(policies);
  const auto edit = [&](const std::string& patch) {
    REQUIRE(f.client
                .Patch<api::MutatingWebhookConfiguration>({"", "korder-pods"},
                                                          {.type = kube::PatchType::kJson}, patch)
                .ok());
  };
  const auto right = f.Now().webhooks;
  SECTION("another failure policy and no conditions") {
    edit(R"([{"op":"replace","path":"/webhooks/2/failurePolicy","value":"Fail"},
             {"op":"remove","path":"/webhooks/2/matchConditions"}])");
  }
  SECTION("every namespace") {
    edit(R"([{"op":"replace","path":"/webhooks/2/namespaceSelector","value":{}}])");
  }
  SECTION("the entry is gone") { edit(R"([{"op":"remove","path":"/webhooks/2"}])"); }
  SECTION("an entry of no policy") {
    edit(R"([{"op":"add","path":"/webhooks/0","value":{"name":"x.policies.pods.korder.dev"}}])");
  }
  CHECK(f.Apply(policies));
  CHECK(f.Now().webhooks == right);

  edit(R"([{"op":"add","path":"/webhooks/0","value":{"name":"somebody.else.example.com"}}])");
  CHECK_FALSE(f.Apply(policies));
}

TEST_CASE("policy entries: the CA bundle is somebody else's to keep", "[policy]") {
  Fixture f;
  f.Apply({MakePolicy("a", "web")});
  api::MutatingWebhookConfiguration configuration = f.Now();
  configuration.webhooks.back().client_config.ca_bundle = {"another"};
  CHECK(DecideEntries(configuration, {MakePolicy("a", "web")}, "korder-system").empty());
}

TEST_CASE("policy entries: excluded namespaces and malformed policies cause none", "[policy]") {
  Fixture f;
  CHECK_FALSE(f.Apply({MakePolicy("kube-system", "web"), MakePolicy("a", "")}));
  CHECK(CoverageOf(f.Now(), *MakePolicy("kube-system", "web")) == Coverage::kNamespaceExcluded);
}

TEST_CASE("policy entries: where the server gates pods only policies that refuse have a webhook",
          "[policy]") {
  Fixture f;
  REQUIRE(f.client
              .Patch<api::MutatingWebhookConfiguration>(
                  {"", "korder-pods"}, {.type = kube::PatchType::kMerge},
                  R"({"metadata":{"annotations":{"korder.dev/pod-mode":"policy"}}})")
              .ok());
  const PolicyPtr schedule = MakePolicy("a", "web", {.uid = "u1"});
  const PolicyPtr wait =
      MakePolicy("a", "db", {.uid = "u2", .fallback = api::ClaimFallback::kWait});
  const PolicyPtr deny =
      MakePolicy("b", "job", {.uid = "u3", .fallback = api::ClaimFallback::kDeny});
  CHECK(CoverageOf(f.Now(), *deny) == Coverage::kPending);
  f.Apply({schedule, wait, deny});
  CHECK(f.Entries() == Strings{"u3.policies.pods.korder.dev: b"});
  for (const PolicyPtr& policy : {schedule, wait, deny}) {
    CHECK(CoverageOf(f.Now(), *policy) == Coverage::kServed);
  }
  CHECK(CoverageOf(f.Now(), *MakePolicy("kube-system", "web")) == Coverage::kNamespaceExcluded);
}

TEST_CASE("policy entries: without the chart's webhook there is nothing to copy", "[policy]") {
  api::MutatingWebhookConfiguration bare;
  CHECK(DecideEntries(bare, {MakePolicy("a", "web")}, "korder-system").empty());
  CHECK(CoverageOf(bare, *MakePolicy("a", "web")) == Coverage::kNoWebhook);
}

std::shared_ptr<const ClaimingPod> Claiming(const std::string& claim) {
  return std::make_shared<const ClaimingPod>(api::FromJson<ClaimingPod>(
      R"({"metadata":{"name":"p","labels":{"app":"x","korder.dev/claim":")" + claim +
      R"("},"annotations":{"korder.dev/claim-policy":"shop","a":"b"}}})"));
}

TEST_CASE("policy status: pods are counted by what became of them", "[policy]") {
  CHECK(CountPods({Claiming("claimed"), Claiming("pending"), Claiming("pending"),
                   Claiming("fallback"), Claiming("nonsense")}) ==
        PodCounts{.claimed = 1, .waiting = 2, .missed = 1});
  CHECK(Claiming("claimed")->metadata.annotations.policy == "shop");
}

TEST_CASE("policy status: Ready says whether its pods come to korder, and why not", "[policy]") {
  struct Case {
    Coverage coverage;
    bool ready;
    std::string_view reason;
  };
  const Case cases[] = {{Coverage::kNoWebhook, false, api::kReasonNoWebhook},
                        {Coverage::kNamespaceExcluded, false, api::kReasonNamespaceExcluded},
                        {Coverage::kPending, false, api::kReasonWebhookPending},
                        {Coverage::kServed, true, api::kReasonAccepted},
                        {Coverage::kServedUnlessDown, true, api::kReasonAccepted}};
  for (const Case& c : cases) {
    const PolicyPtr policy = MakePolicy("a", "web");
    const auto status =
        DecidePolicyStatus({*policy, {.claimed = 3}, c.coverage, {}}, absl::UnixEpoch());
    REQUIRE(status.has_value());
    CHECK(status->claimed == 3);
    CHECK(status->observed_generation == policy->metadata.generation);
    const api::Condition* ready = api::FindCondition(status->conditions, api::kConditionReady);
    REQUIRE(ready != nullptr);
    CHECK((ready->status == api::ConditionStatus::kTrue) == c.ready);
    CHECK(ready->reason == c.reason);
    CHECK(ready->observed_generation == policy->metadata.generation);

    INFO("what is right is not written again");
    api::ClaimPolicy written = *policy;
    written.status = *status;
    CHECK_FALSE(DecidePolicyStatus({written, {.claimed = 3}, c.coverage, {}},
                                   absl::UnixEpoch() + absl::Hours(1))
                    .has_value());
  }
}

TEST_CASE("policy status: a malformed policy is not Ready, with all that is wrong", "[policy]") {
  const PolicyPtr policy = MakePolicy("a", "");
  const auto status = DecidePolicyStatus({*policy, {}, Coverage::kServed, {}}, absl::UnixEpoch());
  const api::Condition* ready = api::FindCondition(status->conditions, api::kConditionReady);
  CHECK(ready->reason == api::kReasonInvalidSpec);
  CHECK_THAT(ready->message, Catch::Contains("spec.podSelector"));
  CHECK(status->pod_annotations.empty());
}

TEST_CASE(
    "policy status: it tells the API server what pods are made to say, and who is asked first",
    "[policy]") {
  const auto at = [](int seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); };
  const PolicyPtr oldest = MakePolicy("a", "web", {.created = at(1)});
  const PolicyPtr second = MakePolicy("a", "db", {.created = at(2)});
  const PolicyPtr malformed = MakePolicy("a", "", {.created = at(1)});
  const PolicyPtr younger = MakePolicy("a", "job", {.created = at(4)});
  api::ClaimPolicy policy = *MakePolicy("a", "mail", {.created = at(3)});
  policy.spec.tickets.emplace().order = "room";
  const std::vector<PolicyPtr> all = {younger, second, malformed,
                                      std::make_shared<const api::ClaimPolicy>(policy), oldest};
  const auto status = DecidePolicyStatus({policy, {}, Coverage::kServed, all}, at(9));
  CHECK(status->pod_annotations == api::Labels{{"korder.dev/claim-policy", "mail"},
                                               {"korder.dev/claim-timeout", "30s"},
                                               {"korder.dev/fallback", "schedule"},
                                               {"korder.dev/mode", "preferred"},
                                               {"korder.dev/order", "room"},
                                               {"korder.dev/required", "true"}});
  CHECK(status->preceded_by == std::vector{oldest->spec.pod_selector, second->spec.pod_selector});
}

}  // namespace
}  // namespace korder::admission
