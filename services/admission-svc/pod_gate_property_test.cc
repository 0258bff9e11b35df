// Properties of the gate over many random pods and policies: what the patch touches, and that the
// webhook may be called as often as the API server likes.
#include <random>

#include <catch2/catch.hpp>

#include "admission-svc/pod_gate.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/names.h"
#include "kube/testing/fake/json_patch.h"

namespace korder::admission {
namespace {

using kube::fake::Json;

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  bool Flip() { return random_() % 2 == 0; }
  template <size_t N>
  std::string One(const char* const (&of)[N]) {
    return of[random_() % N];
  }

 private:
  std::mt19937 random_;
};

std::string RandomPod(Dice& dice) {
  api::Pod pod;
  for (api::Labels* map : {&pod.metadata.labels, &pod.metadata.annotations}) {
    const auto maybe = [&](const std::string& key, const std::string& value) {
      if (dice.Flip() && dice.Flip()) {
        (*map)[key] = value;
      }
    };
    maybe("app", dice.One({"web", "db"}));
    maybe("korder.dev/required", dice.One({"true", "false"}));
    maybe("korder.dev/claim", dice.One({"pending", "claimed"}));
    maybe("korder.dev/order", dice.One({"o", "p"}));
    maybe("korder.dev/ticket", "t");
    maybe("korder.dev/mode", dice.One({"required", "preferred"}));
    maybe("korder.dev/fallback", dice.One({"schedule", "wait", "deny"}));
    maybe("korder.dev/claim-timeout", "5s");
    maybe("korder.dev/claim-policy", "copied");
  }
  for (const char* gate : {"example.com/other", "korder.dev/claim"}) {
    if (dice.Flip() && dice.Flip()) {
      pod.spec.scheduling_gates.push_back({gate});
    }
  }
  pod.spec.node_name = dice.Flip() || dice.Flip() || dice.Flip() ? "" : "node-1";
  pod.spec.containers.emplace_back().image = "nginx";
  return json::Print(pod);
}

std::vector<PolicyPtr> RandomPolicies(Dice& dice) {
  std::vector<PolicyPtr> policies;
  while (policies.size() < 3 && dice.Flip()) {
    api::ClaimPolicy policy;
    policy.metadata.name = dice.One({"a", "b", "c"});
    policy.metadata.creation_timestamp =
        absl::UnixEpoch() + (dice.Flip() ? absl::Hours(1) : absl::Hours(2));
    policy.spec.pod_selector.match_labels = {{"app", dice.One({"web", "db"})}};
    if (dice.Flip()) {
      policy.spec.tickets.emplace().order = "o";
    }
    policy.spec.fallback = dice.Flip() ? api::ClaimFallback::kWait : api::ClaimFallback::kSchedule;
    policies.push_back(std::make_shared<const api::ClaimPolicy>(policy));
  }
  return policies;
}

Json Parsed(const std::string& text) { return api::FromJson<Json>(text); }

// The pod without what korder may add to it.
Json WithoutOurs(Json pod) {
  Json::Array gates;
  if (const Json* present = pod.At({"spec", "schedulingGates"})) {
    for (const Json& gate : present->array()) {
      if (gate["name"].Text() != api::kGateClaim) {
        gates.push_back(gate);
      }
    }
  }
  pod["spec"]["schedulingGates"] = Json::Of(gates);
  for (const char* map : {"labels", "annotations"}) {
    Json kept = Json::EmptyObject();
    for (const auto& [key, value] : pod.ObjectAt({"metadata", map})) {
      if (!key.starts_with(api::kPrefix)) {
        kept[key] = value;
      }
    }
    pod["metadata"][map] = kept;
  }
  return pod;
}

TEST_CASE("pod gate: twice is once, and nothing of the pod is touched but what is korder's",
          "[gate][property]") {
  int patched = 0;
  int by_policy = 0;
  for (unsigned seed = 0; seed < 5000; ++seed) {
    Dice dice(seed);
    const std::string pod = RandomPod(dice);
    const std::vector<PolicyPtr> policies = RandomPolicies(dice);
    INFO("seed " << seed << ": " << pod);
    const GateDecision first = DecideGate(api::FromJson<api::Pod>(pod), policies);
    if (first.patch.empty()) {
      CHECK((first.gates || first.annotations.empty()));
      continue;
    }
    ++patched;
    by_policy += first.policy.empty() ? 0 : 1;
    Json changed = Parsed(pod);
    REQUIRE(kube::fake::JsonPatch(changed, Parsed(first.patch)).ok());
    CHECK(WithoutOurs(changed) == WithoutOurs(Parsed(pod)));

    const auto after = api::FromJson<api::Pod>(json::Print(changed));
    CHECK(api::HasGate(after, api::kGateClaim));
    CHECK(api::AsksForTicket(after.metadata));
    const GateDecision second = DecideGate(after, policies);
    CHECK(second.patch.empty());
    CHECK(second.gates);
    CHECK(second.only_with_ticket == first.only_with_ticket);
    // Whatever became of the policies meanwhile.
    CHECK(DecideGate(after, {}).patch.empty());
    // The gate is put back when somebody replaced the pod's gates.
    api::Pod ungated = after;
    ungated.spec.scheduling_gates.clear();
    CHECK(DecideGate(ungated, {}).patch ==
          R"([{"op":"add","path":"/spec/schedulingGates","value":[{"name":"korder.dev/claim"}]}])");
  }
  CHECK(patched > 1000);
  CHECK(by_policy > 150);
}

}  // namespace
}  // namespace korder::admission
