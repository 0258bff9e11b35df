#include "admission-svc/claim_route.h"

#include <catch2/catch.hpp>

#include "admission-svc/testing/yaml_json.h"
#include "api/testing/from_json.h"

namespace korder::admission {
namespace {

using api::FromJson;

api::Pod PodOf(const std::string& metadata) {
  return FromJson<api::Pod>(JsonFromYaml("metadata: {" + metadata + "}\nspec: {}"));
}

PolicyPtr Policy(const std::string& name, const std::string& created, const std::string& spec) {
  return std::make_shared<const api::ClaimPolicy>(FromJson<api::ClaimPolicy>(
      JsonFromYaml("metadata: {name: " + name + ", creationTimestamp: '" + created + "'}\nspec: {" +
                   spec + "}")));
}

constexpr char kWeb[] = "podSelector: {matchLabels: {app: web}}";
constexpr char kMorning[] = "2026-05-04T08:00:00Z";
constexpr char kNoon[] = "2026-05-04T12:00:00Z";

std::string NameFor(const std::string& metadata, const std::vector<PolicyPtr>& policies) {
  const api::ClaimPolicy* policy = PolicyFor(PodOf(metadata), policies);
  return policy == nullptr ? "" : policy->metadata.name;
}

TEST_CASE("claim route: of several policies that match the oldest wins, then the first by name",
          "[route]") {
  const auto old = Policy("z", kMorning, kWeb);
  const auto young_a = Policy("a", kNoon, kWeb);
  const auto young_b = Policy("b", kNoon, kWeb);
  const auto other = Policy("only", kMorning, "podSelector: {matchLabels: {app: db}}");
  CHECK(NameFor("labels: {app: web}", {young_b, old, young_a, other}) == "z");
  CHECK(NameFor("labels: {app: web}", {young_b, young_a, other}) == "a");
  CHECK(NameFor("labels: {app: db}", {young_b, old, other}) == "only");
  CHECK(NameFor("labels: {app: mail}", {young_b, old, other}).empty());
  CHECK(NameFor("labels: {app: web}", {}).empty());
}

TEST_CASE("claim route: a pod that speaks for itself is beyond every policy", "[route]") {
  const std::vector<PolicyPtr> policies = {Policy("p", kNoon, kWeb)};
  for (const char* own : {"labels: {app: web}, annotations: {korder.dev/required: 'true'}",
                          "labels: {app: web}, annotations: {korder.dev/required: 'false'}",
                          "labels: {app: web, korder.dev/required: 'false'}"}) {
    CHECK(NameFor(own, policies).empty());
  }
  CHECK(NameFor("labels: {app: web}, annotations: {korder.dev/order: o}", policies) == "p");
}

TEST_CASE("claim route: a guardian is caught by no selector", "[route]") {
  const std::vector<PolicyPtr> all = {
      Policy("all", kNoon, "podSelector: {matchExpressions: [{key: x, operator: DoesNotExist}]}")};
  CHECK(NameFor("labels: {korder.dev/role: guardian}, ownerReferences: [{apiVersion: "
                "core.korder.dev/v1alpha1, kind: Ticket, name: t, controller: true}]",
                all)
            .empty());
  INFO("a label alone makes no guardian");
  CHECK(NameFor("labels: {korder.dev/role: guardian}", all) == "all");
  CHECK(NameFor("ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r, controller: "
                "true}]",
                all) == "all");
}

TEST_CASE("claim route: a policy that is malformed or being deleted catches nothing", "[route]") {
  CHECK(NameFor("labels: {app: web}",
                {Policy("bad", kNoon, std::string(kWeb) + ", claimTimeout: soon")})
            .empty());
  CHECK(NameFor("", {Policy("empty", kNoon, "podSelector: {}")}).empty());
  auto going = *Policy("going", kNoon, kWeb);
  going.metadata.deletion_timestamp = absl::UnixEpoch();
  CHECK(NameFor("labels: {app: web}", {std::make_shared<const api::ClaimPolicy>(going)}).empty());
}

constexpr char kFull[] =
    "podSelector: {matchLabels: {app: web}}, mode: Required, fallback: Wait, claimTimeout: 1m30s, "
    "tickets: {order: o, selector: {matchLabels: {zone: a}, matchExpressions: [{key: gpu, "
    "operator: In, values: [b, a]}]}}";

TEST_CASE("claim route: a policy's words become the pod's annotations", "[route]") {
  CHECK(SettingsFor(PodOf("labels: {app: web}"), *Policy("p", kNoon, kFull)) ==
        api::Labels{{"korder.dev/required", "true"},
                    {"korder.dev/claim-policy", "p"},
                    {"korder.dev/mode", "required"},
                    {"korder.dev/fallback", "wait"},
                    {"korder.dev/claim-timeout", "1m30s"},
                    {"korder.dev/order", "o"},
                    {"korder.dev/ticket-selector", "gpu in (a,b),zone=a"}});
  CHECK(SettingsFor(PodOf("labels: {app: web}"), *Policy("p", kNoon, kWeb)) ==
        api::Labels{{"korder.dev/required", "true"},
                    {"korder.dev/claim-policy", "p"},
                    {"korder.dev/mode", "preferred"},
                    {"korder.dev/fallback", "schedule"},
                    {"korder.dev/claim-timeout", "30s"}});
}

TEST_CASE("claim route: the pod's own words stay", "[route]") {
  const api::Labels settings = SettingsFor(
      PodOf("labels: {app: web, korder.dev/fallback: deny}, annotations: {korder.dev/ticket: t, "
            "korder.dev/claim-timeout: 5s, korder.dev/claim-policy: copied}"),
      *Policy("p", kNoon, kFull));
  CHECK(settings == api::Labels{{"korder.dev/required", "true"},
                                {"korder.dev/claim-policy", "p"},
                                {"korder.dev/mode", "required"}});
}

}  // namespace
}  // namespace korder::admission
