#include "ticket-svc/pod_patches.h"

#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "json/writer.h"

namespace korder::ticket {
namespace {

void Text(json::Writer& w, std::string_view key, std::string_view value) {
  w.Key(key);
  w.String(value);
}

void Null(json::Writer& w, std::string_view key) {
  w.Key(key);
  w.Null();
}

std::string NextMark(const api::Pod& pod, const std::string& id) {
  const std::string was(api::ValueOf(pod.metadata.annotations, api::kAnnotationHandoff));
  if (was.substr(0, was.find('+')) != id) {
    return id;
  }
  int count = 0;
  const size_t plus = was.find('+');
  if (plus != std::string::npos && !absl::SimpleAtoi(was.substr(plus + 1), &count)) {
    count = 0;
  }
  return absl::StrCat(id, "+", count + 1);
}

void OpenGate(json::Writer& w) {
  w.Key("schedulingGates");
  w.BeginArray();
  w.BeginObject();
  Text(w, "name", api::kGateClaim);
  Text(w, "$patch", "delete");
  w.EndObject();
  w.EndArray();
}

void Pin(json::Writer& w, const api::Pod& pod, std::string_view node) {
  std::vector<api::NodeSelectorTerm> terms(1);
  if (pod.spec.affinity && pod.spec.affinity->node_affinity &&
      pod.spec.affinity->node_affinity->required &&
      !pod.spec.affinity->node_affinity->required->terms.empty()) {
    terms = pod.spec.affinity->node_affinity->required->terms;
  }
  for (api::NodeSelectorTerm& term : terms) {
    term.match_fields.push_back(
        {.key = "metadata.name", .op = "In", .values = {std::string(node)}});
  }
  for (const char* key :
       {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"}) {
    w.Key(key);
    w.BeginObject();
  }
  w.Key("nodeSelectorTerms");
  json::WriteJson(w, terms);
  for (int i = 0; i < 3; ++i) {
    w.EndObject();
  }
}

void Result(json::Writer& w, std::string_view label, std::string_view result,
            const api::Ticket* ticket) {
  w.Key("metadata");
  w.BeginObject();
  w.Key("labels");
  w.BeginObject();
  Text(w, api::kLabelClaim, label);
  w.EndObject();
  w.Key("annotations");
  w.BeginObject();
  Text(w, api::kAnnotationClaimResult, result);
  if (ticket != nullptr) {
    Text(w, api::kAnnotationClaimedTicket, ticket->metadata.name);
    if (const auto order = api::ValueOf(ticket->metadata.labels, api::kLabelOrder);
        !order.empty()) {
      Text(w, api::kAnnotationClaimedOrder, order);
    }
  }
  w.EndObject();
  w.EndObject();
}

}  // namespace

std::string NominatePatch(const api::Pod& pod, const api::Ticket& ticket) {
  json::Writer w;
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  Text(w, "resourceVersion", pod.metadata.resource_version);
  w.Key("annotations");
  w.BeginObject();
  Text(w, api::kAnnotationHandoff, NextMark(pod, ticket.status.handoff->id));
  Text(w, api::kAnnotationClaimedTicket, ticket.metadata.name);
  w.EndObject();
  w.EndObject();
  w.Key("status");
  w.BeginObject();
  Text(w, "nominatedNodeName", ticket.status.handoff->node);
  w.EndObject();
  w.EndObject();
  return w.Take();
}

std::string ClearNominationPatch(const api::Pod& pod) {
  json::Writer w;
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  Text(w, "resourceVersion", pod.metadata.resource_version);
  w.Key("annotations");
  w.BeginObject();
  Null(w, api::kAnnotationHandoff);
  Null(w, api::kAnnotationClaimedTicket);
  w.EndObject();
  w.EndObject();
  w.Key("status");
  w.BeginObject();
  Null(w, "nominatedNodeName");
  w.EndObject();
  w.EndObject();
  return w.Take();
}

std::string UngatePatch(const api::Pod& pod, const api::Ticket& ticket, std::string_view pin_to) {
  json::Writer w;
  w.BeginObject();
  Result(w, api::kClaimClaimed, api::kClaimResultClaimed, &ticket);
  w.Key("spec");
  w.BeginObject();
  OpenGate(w);
  if (!pin_to.empty()) {
    Pin(w, pod, pin_to);
  }
  w.EndObject();
  w.EndObject();
  return w.Take();
}

std::string FallbackPatch() {
  json::Writer w;
  w.BeginObject();
  Result(w, api::kClaimFallback, api::kClaimResultFallback, nullptr);
  w.Key("spec");
  w.BeginObject();
  OpenGate(w);
  w.EndObject();
  w.EndObject();
  return w.Take();
}

}  // namespace korder::ticket
