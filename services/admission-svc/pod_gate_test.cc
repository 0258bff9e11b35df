#include "admission-svc/pod_gate.h"

#include <catch2/catch.hpp>

#include "admission-svc/pod_webhook.h"
#include "admission-svc/testing/fake_peers.h"
#include "admission-svc/testing/requests.h"
#include "admission-svc/testing/yaml_json.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/names.h"

namespace korder::admission {
namespace {

using api::FromJson;

api::Pod PodFromYaml(const std::string& yaml) { return FromJson<api::Pod>(JsonFromYaml(yaml)); }

constexpr char kGateAll[] =
    R"({"op":"add","path":"/spec/schedulingGates","value":[{"name":"korder.dev/claim"}]})";
constexpr char kGateMore[] =
    R"({"op":"add","path":"/spec/schedulingGates/-","value":{"name":"korder.dev/claim"}})";
constexpr char kLabelAll[] =
    R"({"op":"add","path":"/metadata/labels","value":{"korder.dev/claim":"pending"}})";
constexpr char kLabelMore[] =
    R"({"op":"add","path":"/metadata/labels/korder.dev~1claim","value":"pending"})";

std::string Patch(std::initializer_list<std::string> operations) {
  std::string text;
  for (const std::string& operation : operations) {
    text += (text.empty() ? "[" : ",") + operation;
  }
  return text.empty() ? "" : text + "]";
}

TEST_CASE("pod gate: only what asks is gated, and nothing else is touched", "[gate]") {
  struct Case {
    const char* name;
    const char* pod;
    std::string want_patch;
  };
  const Case cases[] = {
      {"a pod that does not ask", "metadata: {labels: {app: web}}\nspec: {}", ""},
      {"an order alone does not ask", "metadata: {annotations: {korder.dev/order: web}}\nspec: {}",
       ""},
      {"asked by annotation", "metadata: {annotations: {korder.dev/required: 'true'}}\nspec: {}",
       Patch({kGateAll, kLabelAll})},
      {"asked by label", "metadata: {labels: {korder.dev/required: 'true'}}\nspec: {}",
       Patch({kGateAll, kLabelMore})},
      {"a foreign gate stays before ours",
       "metadata: {annotations: {korder.dev/required: 'true'}}\n"
       "spec: {schedulingGates: [{name: example.com/other}]}",
       Patch({kGateMore, kLabelAll})},
      {"gated already, label lost",
       "metadata: {annotations: {korder.dev/required: 'true'}, labels: {app: web}}\n"
       "spec: {schedulingGates: [{name: korder.dev/claim}]}",
       Patch({kLabelMore})},
      {"a claim state copied from another pod",
       "metadata: {annotations: {korder.dev/required: 'true'}, labels: {korder.dev/claim: "
       "claimed}}\n"
       "spec: {schedulingGates: [{name: korder.dev/claim}]}",
       Patch({kLabelMore})},
      {"gated and labelled already",
       "metadata: {annotations: {korder.dev/required: 'true'}, labels: {korder.dev/claim: "
       "pending}}\n"
       "spec: {schedulingGates: [{name: korder.dev/claim}]}",
       ""},
      {"a guardian does not ask",
       "metadata: {labels: {korder.dev/role: guardian, korder.dev/order: web}}\nspec: {}", ""},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const GateDecision decision = DecideGate(PodFromYaml(c.pod), {});
      CHECK(decision.patch == c.want_patch);
      CHECK(decision.problems.empty());
      CHECK(decision.warnings.empty());
      CHECK_FALSE(decision.only_with_ticket);
    }
  }
}

TEST_CASE("pod gate: a pod that passes by the scheduler is warned and left alone", "[gate]") {
  const char* pods[] = {
      "metadata: {annotations: {korder.dev/required: 'true', korder.dev/fallback: deny}}\n"
      "spec: {nodeName: node-1}",
      "metadata: {annotations: {korder.dev/required: 'true', korder.dev/mode: nonsense,\n"
      "  kubernetes.io/config.mirror: abc}}\nspec: {}",
  };
  for (const char* pod : pods) {
    const GateDecision decision = DecideGate(PodFromYaml(pod), {});
    CHECK(decision.patch.empty());
    CHECK(decision.problems.empty());
    CHECK_FALSE(decision.only_with_ticket);
    CHECK(decision.warnings.size() == 1);
  }
  CHECK(DecideGate(PodFromYaml("spec: {nodeName: node-1}"), {}) == GateDecision{});
}

TEST_CASE("pod gate: a malformed request is refused with path, value and rule", "[gate]") {
  const GateDecision decision = DecideGate(PodFromYaml(R"(
metadata:
  annotations:
    korder.dev/required: "true"
    korder.dev/mode: always
    korder.dev/claim-timeout: soon
    korder.dev/ticket-selector: "a in b"
  labels:
    korder.dev/fallback: perhaps
spec: {}
)"),
                                           {});
  CHECK(decision.patch.empty());
  REQUIRE(decision.problems.size() == 4);
  CHECK(decision.problems[0].path == "metadata.annotations[korder.dev/ticket-selector]");
  CHECK(Render(decision.problems[1]) ==
        "metadata.annotations[korder.dev/mode]: \"always\": must be one of preferred, required");
  CHECK(Render(decision.problems[2]) ==
        "metadata.labels[korder.dev/fallback]: \"perhaps\": must be one of schedule, wait, deny");
  CHECK(decision.problems[3].path == "metadata.annotations[korder.dev/claim-timeout]");
  CHECK(decision.problems[3].value == "soon");
}

const PolicyPtr& WebPolicy() {
  static const auto* const kPolicy =
      new PolicyPtr(std::make_shared<const api::ClaimPolicy>(FromJson<api::ClaimPolicy>(
          JsonFromYaml("metadata: {name: shop}\nspec: {podSelector: {matchLabels: {app: web}}}"))));
  return *kPolicy;
}

TEST_CASE("pod gate: a policy gates what it matches, and says on the pod what it asks for",
          "[gate]") {
  const GateDecision decision =
      DecideGate(PodFromYaml("metadata: {labels: {app: web}}\nspec: {}"), {WebPolicy()});
  CHECK(decision.patch ==
        Patch({kGateAll, kLabelMore,
               R"({"op":"add","path":"/metadata/annotations","value":{)"
               R"("korder.dev/claim-policy":"shop","korder.dev/claim-timeout":"30s",)"
               R"("korder.dev/fallback":"schedule","korder.dev/mode":"preferred",)"
               R"("korder.dev/required":"true"}})"}));
  CHECK(decision.annotations.size() == 5);

  INFO("beside annotations of the pod's own");
  const GateDecision beside = DecideGate(
      PodFromYaml("metadata: {labels: {app: web}, annotations: {a: b}}\nspec: {}"), {WebPolicy()});
  CHECK(beside.patch.find(
            R"({"op":"add","path":"/metadata/annotations/korder.dev~1required","value":"true"})") !=
        std::string::npos);
}

TEST_CASE("pod gate: a pod that a policy matches and cannot be gated passes without a word",
          "[gate]") {
  for (const char* pod : {"metadata: {labels: {app: web}}\nspec: {nodeName: node-1}",
                          "metadata: {labels: {app: web}, annotations: "
                          "{kubernetes.io/config.mirror: abc}}\nspec: {}"}) {
    CHECK(DecideGate(PodFromYaml(pod), {WebPolicy()}) == GateDecision{});
  }
}

TEST_CASE("pod gate: what a pod says wrongly is refused when a policy makes it count", "[gate]") {
  const std::string pod =
      "metadata: {labels: {app: web}, annotations: {korder.dev/mode: always}}\nspec: {}";
  CHECK(DecideGate(PodFromYaml(pod), {}) == GateDecision{});
  CHECK(DecideGate(PodFromYaml(pod), {WebPolicy()}).problems.size() == 1);
}

TEST_CASE("pod gate: with a policy, applying it twice is applying it once", "[gate]") {
  api::Pod pod = PodFromYaml("metadata: {labels: {app: web}}\nspec: {}");
  const GateDecision first = DecideGate(pod, {WebPolicy()});
  for (const auto& [key, value] : first.annotations) {
    pod.metadata.annotations[key] = value;
  }
  pod.metadata.labels[std::string(api::kLabelClaim)] = "pending";
  pod.spec.scheduling_gates.push_back({std::string(api::kGateClaim)});
  const GateDecision second = DecideGate(pod, {WebPolicy()});
  CHECK(second.patch.empty());
  CHECK(second.gates);
}

// The object as the server has it after the patch; understands only the four operations above.
std::string AfterPatch(const std::string& yaml, const std::string& patch) {
  auto pod = PodFromYaml(yaml);
  if (patch.find("/spec/schedulingGates") != std::string::npos) {
    pod.spec.scheduling_gates.push_back({std::string(api::kGateClaim)});
  }
  if (patch.find("/metadata/labels") != std::string::npos) {
    pod.metadata.labels[std::string(api::kLabelClaim)] = "pending";
  }
  return json::Print(pod);
}

TEST_CASE("pod gate: applying it twice is applying it once", "[gate]") {
  for (const char* pod : {
           "metadata: {annotations: {korder.dev/required: 'true'}}\nspec: {}",
           "metadata: {labels: {korder.dev/required: 'true', a: b}}\n"
           "spec: {schedulingGates: [{name: x}]}",
       }) {
    const GateDecision first = DecideGate(PodFromYaml(pod), {});
    REQUIRE_FALSE(first.patch.empty());
    CHECK(DecideGate(FromJson<api::Pod>(AfterPatch(pod, first.patch)), {}).patch.empty());
  }
}

// The webhook, and the policies that it finds.
struct WebhookFixture {
  WebhookFixture() { policies.AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>); }
  void AddPolicy(const std::string& yaml) {
    policies.Put(
        std::make_shared<const api::ClaimPolicy>(FromJson<api::ClaimPolicy>(JsonFromYaml(yaml))));
  }

  FakeTicketDesk desk;
  kube::Store<api::ClaimPolicy> policies;
  bool policies_known = true;
  const PodWebhook webhook{desk, policies, [this] { return policies_known; }};
};

constexpr char kDenyPod[] =
    "metadata: {annotations: {korder.dev/required: 'true', korder.dev/fallback: deny}}\nspec: {}";

TEST_CASE("pod webhook: the seed's business pod is gated without asking anybody", "[gate]") {
  WebhookFixture f;
  FakeTicketDesk& desk = f.desk;
  const PodWebhook& webhook = f.webhook;
  const auto verdict = webhook.Review(CreateRequest<api::Pod>(ExampleJson("business-pod.yaml")));
  REQUIRE(verdict.ok());
  CHECK(verdict->allowed());
  CHECK(verdict->patch == Patch({kGateAll, kLabelAll}));
  CHECK(desk.asked.empty());
}

TEST_CASE("pod webhook: fallback deny goes by what ticket-svc offers", "[gate]") {
  WebhookFixture f;
  FakeTicketDesk& desk = f.desk;
  const PodWebhook& webhook = f.webhook;
  const api::AdmissionRequest request = CreateRequest<api::Pod>(JsonFromYaml(kDenyPod));

  SECTION("a ticket fits") {
    const auto verdict = webhook.Review(request);
    REQUIRE(verdict.ok());
    CHECK(verdict->patch == Patch({kGateAll, kLabelAll}));
    REQUIRE(desk.asked.size() == 1);
    CHECK(desk.asked[0] == std::pair<std::string, std::string>("default", request.object.text));
  }
  SECTION("none fits") {
    desk.answer = Offer{.fits = false, .message = "2 tickets are Ready, but none holds 4 cpu"};
    const auto verdict = webhook.Review(request);
    REQUIRE(verdict.ok());
    REQUIRE_FALSE(verdict->allowed());
    CHECK(verdict->patch.empty());
    CHECK(verdict->refusal->code == 403);
    CHECK(verdict->refusal->message ==
          "the pod is to be refused when no ticket fits it: 2 tickets are Ready, but none holds 4 "
          "cpu");
  }
  SECTION("ticket-svc does not answer") {
    desk.answer = UnavailableError("offer: connection refused");
    const auto verdict = webhook.Review(request);
    REQUIRE(verdict.ok());
    REQUIRE_FALSE(verdict->allowed());
    CHECK(verdict->refusal->code == 503);
    CHECK(verdict->error_type == kTicketUnavailable);
    CHECK(verdict->refusal->message.find("could not decide") != std::string::npos);
    CHECK(verdict->refusal->message.find("connection refused") != std::string::npos);
  }
}

constexpr char kPolicy[] =
    "metadata: {name: shop, namespace: default}\n"
    "spec: {podSelector: {matchLabels: {app: web}}, tickets: {order: o}, fallback: Deny}";

TEST_CASE("pod webhook: a policy of the pod's namespace makes it ask, one of another does not",
          "[gate]") {
  WebhookFixture f;
  f.AddPolicy(kPolicy);
  api::AdmissionRequest request =
      CreateRequest<api::Pod>(JsonFromYaml("metadata: {labels: {app: web}}\nspec: {}"));

  SECTION("its own namespace, which only the request names") {
    const auto verdict = f.webhook.Review(request);
    REQUIRE(verdict.ok());
    REQUIRE(f.desk.asked.size() == 1);
    INFO("ticket-svc sees the pod as the policy makes it");
    const auto asked = FromJson<api::Pod>(f.desk.asked[0].second);
    CHECK(asked.metadata.annotations.at("korder.dev/order") == "o");
    CHECK(asked.metadata.annotations.at("korder.dev/fallback") == "deny");
    CHECK(verdict->patch.find("\"korder.dev/claim-policy\":\"shop\"") != std::string::npos);
  }
  SECTION("another namespace") {
    request.ns = "other";
    CHECK(*f.webhook.Review(request) == Verdict{});
    CHECK(f.desk.asked.empty());
  }
}

TEST_CASE("pod webhook: before the policies are known only pods that ask themselves are served",
          "[gate]") {
  WebhookFixture f;
  f.policies_known = false;
  CHECK(absl::IsUnavailable(
      f.webhook.Review(CreateRequest<api::Pod>(JsonFromYaml("metadata: {}\nspec: {}"))).status()));
  const auto asks = f.webhook.Review(CreateRequest<api::Pod>(ExampleJson("business-pod.yaml")));
  REQUIRE(asks.ok());
  CHECK_FALSE(asks->patch.empty());
}

TEST_CASE("pod webhook: other operations and subresources pass untouched", "[gate]") {
  WebhookFixture f;
  FakeTicketDesk& desk = f.desk;
  const PodWebhook& webhook = f.webhook;
  auto update = UpdateRequest<api::Pod>(JsonFromYaml(kDenyPod), JsonFromYaml(kDenyPod));
  CHECK(*webhook.Review(update) == Verdict{});
  auto binding = CreateRequest<api::Pod>("{}");
  binding.sub_resource = "binding";
  CHECK(*webhook.Review(binding) == Verdict{});
  CHECK(desk.asked.empty());
}

TEST_CASE("pod webhook: a pod that cannot be read is an error, not a refusal", "[gate]") {
  WebhookFixture f;
  const PodWebhook& webhook = f.webhook;
  const auto verdict =
      webhook.Review(CreateRequest<api::Pod>(R"({"metadata":{"annotations":["a"]}})"));
  CHECK(absl::IsInvalidArgument(verdict.status()));
  CHECK(Message(verdict.status()).find("metadata.annotations") != std::string_view::npos);
}

}  // namespace
}  // namespace korder::admission
