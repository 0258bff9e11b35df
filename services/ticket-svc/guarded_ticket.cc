#include "ticket-svc/guarded_ticket.h"

#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "base/shared_pool.h"
#include "json/fields.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/keys.h"

namespace korder::ticket {
namespace {

const std::string& NoText() {
  static const std::string kNone;
  return kNone;
}

// Takes the entry out of the map.
std::optional<std::string> Take(std::string_view key, api::Labels& from) {
  const auto it = from.find(key);
  if (it == from.end()) {
    return std::nullopt;
  }
  std::optional<std::string> value = std::move(it->second);
  from.erase(it);
  return value;
}

Boxed<GuardedTicket::Renewal> TakeRenewal(api::Ticket& ticket) {
  std::optional<std::string> note = Take(api::kAnnotationRenewed, ticket.metadata.annotations);
  if (!note) {
    return std::nullopt;
  }
  return GuardedTicket::Renewal{.note = *std::move(note),
                                .duration = std::exchange(ticket.spec.duration, std::nullopt)};
}

GuardedTicket::Metadata TakeMetadata(api::ObjectMeta& meta) {
  return {api::TakeIdentity(meta), std::exchange(meta.generation, 0),
          std::exchange(meta.creation_timestamp, std::nullopt),
          std::exchange(meta.deletion_timestamp, std::nullopt)};
}

// What is left of the ticket when everything of its own has been taken out but the node's label.
SharedForm TakeForm(api::Ticket& ticket, const std::string& node) {
  SharedForm form{.metadata = std::move(ticket.metadata), .spec = std::move(ticket.spec)};
  api::Labels& labels = form.metadata.labels;
  if (const auto label = labels.find(api::kLabelNode);
      label != labels.end() && label->second == node) {
    labels.erase(label);
    form.has_node_label = true;
  }
  form.requests = api::EffectiveRequests(form.spec);
  return form;
}

std::vector<GuardedTicket::Condition> TakeConditions(std::vector<api::Condition>& conditions) {
  std::vector<GuardedTicket::Condition> taken;
  taken.reserve(conditions.size());
  for (api::Condition& condition : conditions) {
    taken.push_back(
        {SharedInProcess(GuardedTicket::Words{.type = std::move(condition.type),
                                              .status = condition.status,
                                              .observed_generation = condition.observed_generation,
                                              .reason = std::move(condition.reason),
                                              .message = std::move(condition.message)}),
         condition.last_transition_time});
  }
  return taken;
}

std::string NewestGuardian(const GuardedTicket& ticket) {
  return GuardianName(ticket.metadata.name, ticket.status.incarnation);
}

GuardedTicket::Status TakeStatus(api::TicketStatus& from) {
  GuardedTicket::Status status{.phase = from.phase,
                               .incarnation = from.incarnation,
                               .observed_generation = from.observed_generation,
                               .node_name = from.node_name,
                               .activation_time = from.activation_time,
                               .expiration_time = from.expiration_time,
                               .finished_time = from.finished_time,
                               .handoff = std::move(from.handoff),
                               .conditions = TakeConditions(from.conditions)};
  if (!from.reason.empty() || !from.message.empty()) {
    status.trouble = GuardedTicket::Trouble{std::move(from.reason), std::move(from.message)};
  }
  if (!from.claimed_pod.empty() || !from.claimed_pod_uid.empty() || from.claimed_time ||
      !from.utilization_rate.empty()) {
    status.claim = GuardedTicket::Claim{.pod = std::move(from.claimed_pod),
                                        .pod_uid = std::move(from.claimed_pod_uid),
                                        .time = from.claimed_time,
                                        .utilization_rate = std::move(from.utilization_rate)};
  }
  return status;
}

}  // namespace

const std::string& GuardedTicket::Status::reason() const {
  return trouble ? trouble->reason : NoText();
}

const std::string& GuardedTicket::Status::message() const {
  return trouble ? trouble->message : NoText();
}

const std::string& GuardedTicket::Status::claimed_pod() const {
  return claim ? claim->pod : NoText();
}

const std::string& GuardedTicket::Status::claimed_pod_uid() const {
  return claim ? claim->pod_uid : NoText();
}

GuardedTicket Reduced(api::Ticket ticket) {
  GuardedTicket out;
  out.metadata = TakeMetadata(ticket.metadata);
  out.node_name = std::exchange(ticket.spec.node_name, {});
  if (!api::ValueOf(ticket.metadata.annotations, api::kAnnotationGrant).empty()) {
    out.grant = *Take(api::kAnnotationGrant, ticket.metadata.annotations);
  }
  out.renewal = TakeRenewal(ticket);
  out.form = SharedInProcess(TakeForm(ticket, out.node_name));
  out.status = TakeStatus(ticket.status);
  if (std::string& guardian = ticket.status.guardian_pod; !guardian.empty()) {
    const kube::ObjectKey newest{out.metadata.ns, NewestGuardian(out)};
    out.status.names_newest = guardian == newest.ToString();
    if (!out.status.names_newest) {
      out.status.other_guardian = std::move(guardian);
    }
  }
  return out;
}

void ReadJson(json::Reader& r, GuardedTicket& out) {
  api::Ticket ticket;
  json::ReadJson(r, ticket);
  out = Reduced(std::move(ticket));
}

api::Ticket Whole(const GuardedTicket& ticket) {
  api::Ticket whole = WithStatus(ticket, WholeStatus(ticket));
  whole.spec = ticket.form->spec;
  whole.spec.node_name = ticket.node_name;
  whole.spec.duration = ticket.duration();
  return whole;
}

api::TicketStatus WholeStatus(const GuardedTicket& ticket) {
  const GuardedTicket::Status& from = ticket.status;
  api::TicketStatus status;
  status.phase = from.phase;
  status.reason = from.reason();
  status.message = from.message();
  status.node_name = from.node_name;
  if (from.names_newest) {
    status.guardian_pod = GuardianKey(ticket).ToString();
  } else if (from.other_guardian) {
    status.guardian_pod = *from.other_guardian;
  }
  status.activation_time = from.activation_time;
  status.expiration_time = from.expiration_time;
  status.finished_time = from.finished_time;
  if (from.claim) {
    status.claimed_pod = from.claim->pod;
    status.claimed_pod_uid = from.claim->pod_uid;
    status.claimed_time = from.claim->time;
    status.utilization_rate = from.claim->utilization_rate;
  }
  status.handoff = from.handoff;
  status.incarnation = from.incarnation;
  status.observed_generation = from.observed_generation;
  status.conditions.reserve(from.conditions.size());
  for (const GuardedTicket::Condition& condition : from.conditions) {
    const GuardedTicket::Words& words = *condition.words;
    status.conditions.push_back({.type = words.type,
                                 .status = words.status,
                                 .observed_generation = words.observed_generation,
                                 .last_transition_time = *condition.since,
                                 .reason = words.reason,
                                 .message = words.message});
  }
  return status;
}

api::Labels LabelsOf(const GuardedTicket& ticket) {
  api::Labels labels = ticket.form->metadata.labels;
  if (ticket.form->has_node_label) {
    labels.emplace(api::kLabelNode, ticket.node_name);
  }
  return labels;
}

api::Ticket WithStatus(const GuardedTicket& ticket, api::TicketStatus status) {
  const GuardedTicket::Metadata& own = ticket.metadata;
  api::Ticket whole;
  api::ObjectMeta& meta = whole.metadata;
  meta = ticket.form->metadata;
  meta.labels = LabelsOf(ticket);
  meta.name = own.name;
  meta.ns = own.ns;
  meta.uid = own.uid;
  meta.resource_version = own.resource_version;
  meta.generation = own.generation;
  meta.creation_timestamp = own.creation_timestamp;
  meta.deletion_timestamp = own.deletion_timestamp;
  if (!ticket.grant.empty()) {
    meta.annotations.emplace(api::kAnnotationGrant, ticket.grant);
  }
  if (ticket.renewal) {
    meta.annotations.emplace(api::kAnnotationRenewed, ticket.renewal->note);
  }
  whole.status = std::move(status);
  return whole;
}

kube::ObjectKey GuardianKey(const GuardedTicket& ticket) {
  if (ticket.status.names_newest) {
    return {ticket.metadata.ns, NewestGuardian(ticket)};
  }
  const Boxed<std::string>& other = ticket.status.other_guardian;
  return other ? ParseKey(*other) : kube::ObjectKey{};
}

}  // namespace korder::ticket
