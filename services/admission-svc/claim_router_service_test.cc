#include "admission-svc/claim_router_service.h"

#include <catch2/catch.hpp>

#include "admission-svc/pod_webhook.h"
#include "admission-svc/testing/fake_peers.h"
#include "admission-svc/testing/policies.h"
#include "admission-svc/testing/yaml_json.h"
#include "runtime/testing/call_context.h"

namespace korder::admission {
namespace {

using pb::ResolveResponse;

struct Fixture {
  Fixture() {
    policies.AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
    pods.AddIndex(kByPolicy, PolicyOf);
    Configure(ChartConfiguration());
  }
  void Configure(api::MutatingWebhookConfiguration configuration) {
    configurations.Put(std::make_shared<const api::MutatingWebhookConfiguration>(configuration));
  }
  // Puts it where the webhook and the API server find it.
  void Serve(const PolicyPtr& policy) {
    policies.Put(policy);
    auto configuration = ChartConfiguration();
    api::Webhook entry = configuration.webhooks[0];
    entry.name = kPolicyEntry;
    entry.namespace_selector->match_expressions = {
        {"kubernetes.io/metadata.name", "In", {policy->metadata.ns}}};
    configuration.webhooks.push_back(entry);
    Configure(configuration);
  }
  ResolveResponse Resolve(const std::string& metadata, const std::string& ns = "default") {
    pb::ResolveRequest request;
    request.set_namespace_(ns);
    request.set_pod_json(JsonFromYaml("metadata: {" + metadata + "}\nspec: {}"));
    ResolveResponse response;
    REQUIRE(service.Resolve(runtime::CallContext(request.namespace_()).get(), &request, &response)
                .ok());
    return response;
  }

  FakeTicketDesk desk;
  kube::Store<api::ClaimPolicy> policies;
  kube::Store<api::MutatingWebhookConfiguration> configurations;
  kube::Store<ClaimingPod> pods;
  ClaimRouterService service{desk, {policies, configurations, pods}};
};

constexpr char kAsks[] = "annotations: {korder.dev/required: 'true', korder.dev/order: o}";

TEST_CASE("claim router: who asks, for what, and what there is for it", "[router]") {
  Fixture f;
  f.desk.answer = Offer{.fits = true, .message = "", .ticket = "o-1", .order = "o", .node = "n1"};
  SECTION("nobody") {
    const ResolveResponse answer = f.Resolve("labels: {app: web}");
    CHECK(answer.asked_by() == ResolveResponse::NOBODY);
    CHECK_FALSE(answer.gated());
    CHECK_FALSE(answer.has_wish());
    CHECK(f.desk.asked.empty());
  }
  SECTION("the pod") {
    const ResolveResponse answer = f.Resolve(kAsks);
    CHECK(answer.asked_by() == ResolveResponse::POD);
    CHECK(answer.gated());
    CHECK(answer.wish().order() == "o");
    CHECK(answer.ticket().name() == "o-1");
    CHECK(answer.ticket().node() == "n1");
  }
  SECTION("a policy") {
    f.Serve(MakePolicy("default", "web"));
    const ResolveResponse answer = f.Resolve("labels: {app: web}");
    CHECK(answer.asked_by() == ResolveResponse::POLICY);
    CHECK(answer.policy() == "web");
    CHECK(answer.gated());
    CHECK(answer.wish().fallback() == "schedule");
    CHECK(answer.wish().claim_timeout() == "30s");
    REQUIRE(f.desk.asked.size() == 1);
    CHECK_THAT(f.desk.asked[0].second, Catch::Contains("korder.dev/claim-policy"));
  }
}

TEST_CASE("claim router: no ticket is told with what would help", "[router]") {
  Fixture f;
  f.desk.answer = Offer{.fits = false, .message = "none is Ready", .help = {"an order"}};
  const ResolveResponse waits = f.Resolve(kAsks);
  CHECK(waits.gated());
  CHECK(waits.none().message() == "none is Ready");
  CHECK(waits.none().help(0) == "an order");

  INFO("a pod that would rather be refused is");
  const ResolveResponse denied =
      f.Resolve("annotations: {korder.dev/required: 'true', korder.dev/fallback: deny}");
  CHECK_FALSE(denied.gated());
  REQUIRE(denied.refusals_size() == 1);
  CHECK_THAT(denied.refusals(0), Catch::Contains("none is Ready"));

  f.desk.answer = UnavailableError("connection refused");
  CHECK_THAT(f.Resolve(kAsks).unknown(), Catch::Contains("connection refused"));
}

TEST_CASE("claim router: what keeps a pod from being seen is said", "[router]") {
  Fixture f;
  const auto warning = [](const ResolveResponse& answer) {
    REQUIRE(answer.warnings_size() == 1);
    CHECK_FALSE(answer.gated());
    return answer.warnings(0);
  };
  CHECK_THAT(warning(f.Resolve(kAsks, "kube-system")), Catch::Contains("never to look"));
  f.policies.Put(MakePolicy("default", "web"));
  CHECK_THAT(warning(f.Resolve("labels: {app: web}")), Catch::Contains("not told yet"));
  f.configurations.Erase({"", kPodsConfiguration});
  CHECK_THAT(warning(f.Resolve(kAsks)), Catch::Contains("without its webhook"));
}

TEST_CASE("claim router: a malformed request is refused with all that is wrong", "[router]") {
  Fixture f;
  const ResolveResponse answer = f.Resolve(
      "annotations: {korder.dev/required: 'true', korder.dev/mode: x, korder.dev/fallback: y}");
  CHECK(answer.refusals_size() == 2);
  CHECK_FALSE(answer.gated());
  CHECK(f.desk.asked.empty());
}

TEST_CASE("claim router: who may ask about one namespace learns nothing of another", "[router]") {
  Fixture f;
  pb::ResolveRequest request;
  request.set_namespace_("default");
  request.set_pod_json("{}");
  for (const char* named : {"", "another"}) {
    ResolveResponse response;
    CHECK(f.service.Resolve(runtime::CallContext(named).get(), &request, &response).error_code() ==
          grpc::StatusCode::PERMISSION_DENIED);
  }
}

TEST_CASE("claim router: what is no pod, or in no namespace, is an error of the caller",
          "[router]") {
  Fixture f;
  ResolveResponse response;
  pb::ResolveRequest request;
  request.set_pod_json("{}");
  CHECK(f.service.Resolve(runtime::CallContext(request.namespace_()).get(), &request, &response)
            .error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  request.set_namespace_("default");
  request.set_pod_json("[");
  CHECK(f.service.Resolve(runtime::CallContext(request.namespace_()).get(), &request, &response)
            .error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace korder::admission
