#include "order-svc/order_ticket.h"

#include <utility>

#include "api/meta/condition.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "base/shared_pool.h"
#include "json/fields.h"

namespace korder::order {
namespace {

constexpr char kOccurrenceFormat[] = "%E4Y%m%dT%H%M%SZ";

std::optional<absl::Time> OccurrenceOf(const api::Labels& labels) {
  const auto label = labels.find(api::kLabelOccurrence);
  absl::Time start;
  return label != labels.end() && absl::ParseTime(kOccurrenceFormat, label->second, &start, nullptr)
             ? std::optional(start)
             : std::nullopt;
}

void Erase(std::string_view key, api::Labels& from) {
  if (const auto it = from.find(key); it != from.end()) {
    from.erase(it);
  }
}

// Takes the renewal out of the ticket.
Boxed<OrderTicket::Renewal> TakeRenewal(api::Ticket& ticket) {
  api::Labels& notes = ticket.metadata.annotations;
  const auto note = notes.find(api::kAnnotationRenewed);
  if (note == notes.end()) {
    return std::nullopt;
  }
  OrderTicket::Renewal renewal{.tick = absl::InfinitePast(),
                               .duration = std::exchange(ticket.spec.duration, std::nullopt)};
  if (!absl::ParseTime(absl::RFC3339_full, note->second, &renewal.tick, nullptr)) {
    renewal.tick = absl::InfinitePast();
  }
  notes.erase(note);
  return renewal;
}

// What is left of the ticket when everything of its own has been taken out.
TemplateForm TakeForm(api::Ticket& ticket, bool renewed) {
  api::ObjectMeta& meta = ticket.metadata;
  const api::OwnerReference* owner = api::ControllerOf(meta);
  if (owner == nullptr) {
    return {};
  }
  TemplateForm form{.owner = *owner, .occurrence = OccurrenceOf(meta.labels), .renewed = renewed};
  form.spec = std::move(ticket.spec);
  const auto digest = meta.annotations.find(api::kAnnotationTemplate);
  if (digest != meta.annotations.end()) {
    form.digest = std::move(digest->second);
    return form;
  }
  Erase(api::kLabelNode, meta.labels);
  Erase(api::kAnnotationGrant, meta.annotations);
  form.labels = std::move(meta.labels);
  form.annotations = std::move(meta.annotations);
  return form;
}

std::optional<absl::Time> ReadySince(const api::TicketStatus& status) {
  if (status.phase != api::TicketPhase::kReady) {
    return std::nullopt;
  }
  const api::Condition* ready = api::FindCondition(status.conditions, api::kConditionReady);
  return ready != nullptr ? ready->last_transition_time : absl::InfinitePast();
}

}  // namespace

const OrderTicket::Trouble& OrderTicket::Why() const {
  static const Trouble kNone;
  return trouble ? *trouble : kNone;
}

OrderTicket Reduced(api::Ticket ticket) {
  api::TicketStatus& status = ticket.status;
  OrderTicket out{.metadata = api::TakeIdentity(ticket.metadata),
                  .node_name = std::exchange(ticket.spec.node_name, {}),
                  .renewal = TakeRenewal(ticket),
                  .activation_time = status.activation_time,
                  .finished_time = status.finished_time,
                  .ready_since = ReadySince(status),
                  .phase = status.phase,
                  .deleting = ticket.metadata.deleting(),
                  .in_handoff = status.handoff.has_value()};
  out.form = SharedInProcess(TakeForm(ticket, out.renewal.has_value()));
  if (!status.reason.empty() || !status.message.empty()) {
    out.trouble = OrderTicket::Trouble{std::move(status.reason), std::move(status.message)};
  }
  return out;
}

void ReadJson(json::Reader& r, OrderTicket& out) {
  api::Ticket ticket;
  json::ReadJson(r, ticket);
  out = Reduced(std::move(ticket));
}

kube::IndexValues OwnerIndex(const OrderTicket& ticket) {
  const auto& owner = ticket.form->owner;
  return owner ? kube::IndexValues{owner->uid} : kube::IndexValues();
}

std::string OccurrenceName(absl::Time start) {
  return absl::FormatTime(kOccurrenceFormat, start, absl::UTCTimeZone());
}

}  // namespace korder::order
