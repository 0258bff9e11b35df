#include "ticket-svc/handoff_patches.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "api/admission/json_patch.h"
#include "api/v1alpha1/names.h"
#include "json/writer.h"
#include "ticket-svc/claim_decide.h"

namespace korder::ticket {
namespace {

using kube::PatchType;
// nullopt takes the key away.
using Changes = std::map<std::string_view, std::optional<std::string>>;

void Write(std::string_view key, const Changes& changes, json::Writer& w) {
  if (changes.empty()) {
    return;
  }
  w.Key(key);
  w.BeginObject();
  for (const auto& [name, value] : changes) {
    w.Key(name);
    if (value) {
      w.String(*value);
    } else {
      w.Null();
    }
  }
  w.EndObject();
}

// {"metadata": {...}, and room for more: the caller closes the outer object.
void BeginPatch(const api::Pod& pod, const Changes& labels, const Changes& annotations,
                json::Writer& w) {
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  w.Key("resourceVersion");
  w.String(pod.metadata.resource_version);
  Write("labels", labels, w);
  Write("annotations", annotations, w);
  w.EndObject();
}

// pods/status stores annotations as well as the status, in one write.
PodPatch NominationPatch(const api::Pod& pod, const std::string& node, const Changes& annotations) {
  json::Writer w;
  BeginPatch(pod, {}, annotations, w);
  w.Key("status");
  w.BeginObject();
  w.Key("nominatedNodeName");
  if (node.empty()) {
    w.Null();
  } else {
    w.String(node);
  }
  w.EndObject();
  w.EndObject();
  return {.options = {.type = PatchType::kMerge, .subresource = "status"}, .body = w.Take()};
}

// Other controllers' gates stay: the list is merged by name.
PodPatch GatePatch(const api::Pod& pod, const Changes& labels, const Changes& annotations) {
  json::Writer w;
  BeginPatch(pod, labels, annotations, w);
  w.Key("spec");
  w.BeginObject();
  w.Key("schedulingGates");
  w.BeginArray();
  w.BeginObject();
  w.Key("$patch");
  w.String("delete");
  w.Key("name");
  w.String(api::kGateClaim);
  w.EndObject();
  w.EndArray();
  w.EndObject();
  w.EndObject();
  return {.options = {.type = PatchType::kStrategicMerge}, .body = w.Take()};
}

// Makes one required term per node of what is there; terms are alternatives, so each gets the pin.
void Pin(const api::Pod& pod, const std::string& node, api::JsonPatch& patch) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  const api::NodeSelectorRequirement pin{
      .key = std::string(api::kFieldNodeName), .op = "In", .values = {node}};
  api::NodeSelector only;
  only.terms.emplace_back().match_fields = {pin};
  const Boxed<api::Affinity>& affinity = pod.spec.affinity;
  if (!affinity) {
    api::Affinity whole;
    whole.node_affinity.emplace().required = only;
    patch.Add({"spec", "affinity"}, whole);
  } else if (!affinity->node_affinity) {
    patch.Add({"spec", "affinity", "nodeAffinity"}, api::NodeAffinity{.required = only});
  } else if (!affinity->node_affinity->required) {
    patch.Add({"spec", "affinity", "nodeAffinity", kRequired}, only);
  } else {
    const std::vector<api::NodeSelectorTerm>& terms = affinity->node_affinity->required->terms;
    for (size_t i = 0; i < terms.size(); ++i) {
      const std::string index = std::to_string(i);
      if (!terms[i].match_fields.empty()) {
        patch.Add({"spec", "affinity", "nodeAffinity", kRequired, "nodeSelectorTerms", index,
                   "matchFields", "-"},
                  pin);
      } else if (!terms[i].match_expressions.empty()) {
        // A term with neither matches no node and may not be extended.
        patch.Add({"spec", "affinity", "nodeAffinity", kRequired, "nodeSelectorTerms", index,
                   "matchFields"},
                  std::vector<api::NodeSelectorRequirement>{pin});
      }
    }
  }
}

PodPatch PinnedUngatePatch(const api::Pod& pod, const GuardedTicket& ticket) {
  api::JsonPatch patch;
  patch.Replace({"metadata", "resourceVersion"}, pod.metadata.resource_version);
  const auto& gates = pod.spec.scheduling_gates;
  const auto gate = std::find_if(gates.begin(), gates.end(),
                                 [](const auto& g) { return g.name == api::kGateClaim; });
  patch.Remove({"spec", "schedulingGates", std::to_string(gate - gates.begin())});
  patch.Add({"metadata", "labels", api::kLabelClaim}, std::string(api::kClaimClaimed));
  api::Labels annotations = pod.metadata.annotations;
  annotations.erase(std::string(api::kAnnotationHandoff));
  annotations[std::string(api::kAnnotationClaimedTicket)] = ticket.metadata.name;
  annotations[std::string(api::kAnnotationClaimedOrder)] = std::string(ticket.order());
  annotations[std::string(api::kAnnotationClaimResult)] = api::kClaimResultClaimed;
  // The resourceVersion above makes sure that nobody else's annotation is lost by this.
  patch.Add({"metadata", "annotations"}, annotations);
  Pin(pod, ticket.status.handoff->node, patch);
  return {.options = {.type = PatchType::kJson}, .body = patch.Take()};
}

}  // namespace

PodPatch NominatePatch(const api::Pod& pod, const GuardedTicket& ticket) {
  const api::TicketHandoff& handoff = *ticket.status.handoff;
  std::string mark = handoff.id;
  // The same nomination again would be no change, and no news to the scheduler.
  if (!api::HasGate(pod, api::kGateClaim) || HandoffMark(pod) == handoff.id) {
    absl::StrAppend(&mark, "+", pod.metadata.resource_version);
  }
  return NominationPatch(
      pod, handoff.node,
      {{api::kAnnotationHandoff, mark}, {api::kAnnotationClaimedTicket, ticket.metadata.name}});
}

PodPatch MarkPatch(const api::Pod& pod, const GuardedTicket& ticket) {
  json::Writer w;
  BeginPatch(pod, {},
             {{api::kAnnotationHandoff, ticket.status.handoff->id},
              {api::kAnnotationClaimedTicket, ticket.metadata.name}},
             w);
  w.EndObject();
  return {.options = {.type = PatchType::kMerge}, .body = w.Take()};
}

PodPatch ResetPatch(const api::Pod& pod) {
  return NominationPatch(
      pod, "",
      {{api::kAnnotationHandoff, std::nullopt}, {api::kAnnotationClaimedTicket, std::nullopt}});
}

PodPatch UngatePatch(const api::Pod& pod, const GuardedTicket& ticket, bool pin) {
  if (pin) {
    return PinnedUngatePatch(pod, ticket);
  }
  return GatePatch(pod, {{api::kLabelClaim, std::string(api::kClaimClaimed)}},
                   {{api::kAnnotationHandoff, std::nullopt},
                    {api::kAnnotationClaimedTicket, ticket.metadata.name},
                    {api::kAnnotationClaimedOrder, std::string(ticket.order())},
                    {api::kAnnotationClaimResult, std::string(api::kClaimResultClaimed)}});
}

PodPatch FallbackPatch(const api::Pod& pod) {
  return GatePatch(pod, {{api::kLabelClaim, std::string(api::kClaimFallback)}},
                   {{api::kAnnotationClaimResult, std::string(api::kClaimResultFallback)}});
}

PodPatch LostPatch(const api::Pod& pod) {
  json::Writer w;
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  // Not the version: the pod changes all the time while it starts.
  w.Key("uid");
  w.String(pod.metadata.uid);
  Write("labels", {{api::kLabelClaim, std::string(api::kClaimFallback)}}, w);
  Write("annotations",
        {{api::kAnnotationHandoff, std::nullopt},
         {api::kAnnotationClaimResult, std::string(api::kClaimResultLost)}},
        w);
  w.EndObject();
  w.EndObject();
  return {.options = {.type = PatchType::kMerge}, .body = w.Take()};
}

}  // namespace korder::ticket
