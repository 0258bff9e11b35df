#include "ticket-svc/handoff_patches.h"

#include <catch2/catch.hpp>

#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

using kube::PatchType;

GuardedTicket Promised() {
  api::Ticket ticket = Ready(MakeTicket("web-0"), "n1");
  ticket.status.handoff = api::TicketHandoff{.id = "h1",
                                             .step = "Assigned",
                                             .pod_uid = "uid-shop",
                                             .guardian_uid = "uid-web-0-g1",
                                             .node = "n1",
                                             .started_at = kNow};
  return Reduced(ticket);
}

TEST_CASE("handoff patches: nomination and mark are one write to the status", "[handoff]") {
  const PodPatch patch = NominatePatch(MakeClaimPod("shop"), Promised());
  CHECK(patch.options.type == PatchType::kMerge);
  CHECK(patch.options.subresource == "status");
  CHECK(patch.body == R"({"metadata":{"resourceVersion":"30","annotations":{)"
                      R"("korder.dev/claimed-ticket":"web-0","korder.dev/handoff":"h1"}},)"
                      R"("status":{"nominatedNodeName":"n1"}})");
}

TEST_CASE("handoff patches: an ungated pod changes with every nomination", "[handoff]") {
  api::Pod pod = MakeClaimPod("shop");
  pod.spec.scheduling_gates.clear();
  CHECK(NominatePatch(pod, Promised()).body.find(R"("korder.dev/handoff":"h1+30")") !=
        std::string::npos);
}

TEST_CASE("handoff patches: a mark alone is one write to the pod", "[handoff]") {
  const PodPatch patch = MarkPatch(MakeClaimPod("shop"), Promised());
  CHECK(patch.options.type == PatchType::kMerge);
  CHECK(patch.options.subresource.empty());
  CHECK(patch.body == R"({"metadata":{"resourceVersion":"30","annotations":{)"
                      R"("korder.dev/claimed-ticket":"web-0","korder.dev/handoff":"h1"}}})");
}

TEST_CASE("handoff patches: a reset takes nomination and mark away", "[handoff]") {
  const PodPatch patch = ResetPatch(MakeClaimPod("shop"));
  CHECK(patch.options.subresource == "status");
  CHECK(patch.body == R"({"metadata":{"resourceVersion":"30","annotations":{)"
                      R"("korder.dev/claimed-ticket":null,"korder.dev/handoff":null}},)"
                      R"("status":{"nominatedNodeName":null}})");
}

TEST_CASE("handoff patches: ungating takes our gate only and notes the ticket", "[handoff]") {
  const PodPatch patch = UngatePatch(MakeClaimPod("shop"), Promised(), /*pin=*/false);
  CHECK(patch.options.type == PatchType::kStrategicMerge);
  CHECK(patch.options.subresource.empty());
  CHECK(patch.body ==
        R"({"metadata":{"resourceVersion":"30","labels":{"korder.dev/claim":"claimed"},)"
        R"("annotations":{"korder.dev/claim-result":"claimed","korder.dev/claimed-order":"web",)"
        R"("korder.dev/claimed-ticket":"web-0","korder.dev/handoff":null}},)"
        R"("spec":{"schedulingGates":[{"$patch":"delete","name":"korder.dev/claim"}]}})");
}

TEST_CASE("handoff patches: falling back opens the gate and says so", "[handoff]") {
  CHECK(FallbackPatch(MakeClaimPod("shop")).body ==
        R"({"metadata":{"resourceVersion":"30","labels":{"korder.dev/claim":"fallback"},)"
        R"("annotations":{"korder.dev/claim-result":"fallback"}},)"
        R"("spec":{"schedulingGates":[{"$patch":"delete","name":"korder.dev/claim"}]}})");
}

TEST_CASE("handoff patches: a loss is noted whatever the pod does meanwhile", "[handoff]") {
  CHECK(LostPatch(MakeClaimPod("shop")).body ==
        R"({"metadata":{"uid":"uid-shop","labels":{"korder.dev/claim":"fallback"},)"
        R"("annotations":{"korder.dev/claim-result":"lost","korder.dev/handoff":null}}})");
}

TEST_CASE("handoff patches: a pin goes into every alternative of the pod's affinity", "[handoff]") {
  const std::string required =
      "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
  const std::string pin = R"({"key":"metadata.name","operator":"In","values":["n1"]})";
  struct Case {
    const char* name;
    void (*change)(api::PodSpec&);
    std::string want;
  };
  const Case cases[] = {
      {"no affinity", [](api::PodSpec&) {},
       R"({"op":"add","path":"/spec/affinity","value":{"nodeAffinity":)"
       R"({"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":)"
       R"([{"matchFields":[)" +
           pin + "]}]}}}}"},
      {"no node affinity",
       [](api::PodSpec& spec) { spec.affinity.emplace().pod_affinity.emplace(); },
       R"({"op":"add","path":"/spec/affinity/nodeAffinity","value":)"
       R"({"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":)"
       R"([{"matchFields":[)" +
           pin + "]}]}}}"},
      {"nothing required",
       [](api::PodSpec& spec) { spec.affinity.emplace().node_affinity.emplace(); },
       R"({"op":"add","path":")" + required +
           R"(","value":{"nodeSelectorTerms":[{"matchFields":[)" + pin + "]}]}}"},
      {"expressions, fields, and a term that matches nothing",
       [](api::PodSpec& spec) {
         auto& terms = spec.affinity.emplace().node_affinity.emplace().required.emplace().terms;
         terms.resize(3);
         terms[0].match_expressions = {{.key = "zone", .op = "Exists", .values = {}}};
         terms[2].match_fields = {{.key = "metadata.name", .op = "NotIn", .values = {"n9"}}};
       },
       R"({"op":"add","path":")" + required + R"(/nodeSelectorTerms/0/matchFields","value":[)" +
           pin + R"(]},{"op":"add","path":")" + required +
           R"(/nodeSelectorTerms/2/matchFields/-","value":)" + pin + "}"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      api::Pod pod = MakeClaimPod("shop");
      pod.metadata.annotations["korder.dev/handoff"] = "h1";
      c.change(pod.spec);
      const PodPatch patch = UngatePatch(pod, Promised(), /*pin=*/true);
      CHECK(patch.options.type == PatchType::kJson);
      CHECK(patch.body ==
            R"([{"op":"replace","path":"/metadata/resourceVersion","value":"30"},)"
            R"({"op":"remove","path":"/spec/schedulingGates/0"},)"
            R"({"op":"add","path":"/metadata/labels/korder.dev~1claim","value":"claimed"},)"
            R"({"op":"add","path":"/metadata/annotations","value":{)"
            R"("korder.dev/claim-result":"claimed","korder.dev/claimed-order":"web",)"
            R"("korder.dev/claimed-ticket":"web-0","korder.dev/required":"true"}},)" +
                c.want + "]");
    }
  }
}

}  // namespace
}  // namespace korder::ticket
