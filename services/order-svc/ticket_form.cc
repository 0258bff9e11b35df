#include "order-svc/ticket_form.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/core/daemon_nodes.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/order_windows.h"

namespace korder::order {
namespace {

constexpr size_t kMaxLabel = 63;
// Longer stems would make ticket names that are no valid label values.
constexpr size_t kMaxStem = 45;

// FNV-1a: stable over processes and versions, unlike std::hash.
uint32_t Hash(std::string_view text, uint32_t hash = 2166136261U) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

// At most `most` characters; different texts stay different, by a hash at the end.
std::string Shortened(const std::string& text, size_t most) {
  return text.size() <= most
             ? text
             : absl::StrCat(text.substr(0, most - 9), "-", absl::Hex(Hash(text), absl::kZeroPad8));
}

// Of maps of strings only, which no version of korder prints in another way.
std::string Digest(const api::TemplateMeta& meta) {
  uint32_t hash = Hash("");
  for (const api::Labels* labels : {&meta.labels, &meta.annotations}) {
    for (const auto& [key, value] : *labels) {
      hash = Hash(absl::StrCat(key.size(), ":", key, value.size(), ":", value, ";"), hash);
    }
    hash = Hash("/", hash);
  }
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad8));
}

bool Includes(const api::Labels& has, const api::Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto it = has.find(entry.first);
    return it != has.end() && it->second == entry.second;
  });
}

// How long a ticket of this occurrence lasts.
std::optional<api::DurationField> DurationOf(const api::Order& order, const Cell& cell) {
  const std::optional<api::DurationField>& own = order.spec.ticket_template.spec.duration;
  if (own || cell.occurrence == kNoOccurrence) {
    return own;
  }
  const auto windows = api::OrderWindows::Of(order.spec);
  const absl::Time end = windows.ok() ? windows->At(cell.occurrence).end : absl::InfiniteFuture();
  return end == absl::InfiniteFuture() ? own
                                       : std::optional<api::DurationField>(end - cell.occurrence);
}

}  // namespace

api::Ticket MakeTicket(const api::Order& order, const Cell& cell, int64_t ordinal, absl::Time now) {
  const api::TicketTemplate& tmpl = order.spec.ticket_template;
  api::Ticket ticket;
  api::ObjectMeta& meta = ticket.metadata;
  meta.name = TicketName(order, ordinal);
  meta.ns = order.metadata.ns;
  meta.labels = tmpl.metadata.labels;
  meta.labels[std::string(api::kLabelOrder)] = order.metadata.name;
  meta.annotations = tmpl.metadata.annotations;
  meta.annotations[std::string(api::kAnnotationTemplate)] = Digest(tmpl.metadata);
  meta.owner_references = {api::ControllerReference(order)};
  ticket.spec = tmpl.spec;
  if (cell.occurrence != kNoOccurrence) {
    meta.labels[std::string(api::kLabelOccurrence)] = OccurrenceName(cell.occurrence);
    ticket.spec.start_time = cell.occurrence;
    ticket.spec.duration = DurationOf(order, cell);
  } else if (order.spec.strategy.type == api::StrategyType::kRecurring && ticket.spec.start_time &&
             *ticket.spec.start_time <= now) {
    ticket.spec.start_time.reset();  // it said when the first ones begin
  }
  if (const auto& lead = order.spec.strategy.lead_time;
      ticket.spec.start_time && lead && !(*lead == api::DurationField())) {
    meta.annotations[std::string(api::kAnnotationLeadTime)] = lead->text();
  }
  if (!cell.node.empty()) {
    meta.labels[std::string(api::kLabelNode)] = Shortened(cell.node, kMaxLabel);
    ticket.spec.node_name = cell.node;
    ticket.spec.tolerations = api::DaemonTolerations(tmpl.spec.tolerations);
  }
  return ticket;
}

std::string TicketName(const api::Order& order, int64_t ordinal) {
  return absl::StrCat(Shortened(order.metadata.name, kMaxStem), "-", ordinal);
}

int64_t OrdinalOf(const std::string& ticket) {
  const size_t dash = ticket.rfind('-');
  int64_t ordinal = -1;
  if (dash == std::string::npos ||
      !absl::SimpleAtoi(absl::string_view(ticket).substr(dash + 1), &ordinal) || ordinal < 0) {
    return -1;
  }
  return ordinal;
}

std::optional<absl::Time> OccurrenceOf(const api::Order& order, const OrderTicket& ticket) {
  return order.spec.strategy.type == api::StrategyType::kScheduled ? ticket.form->occurrence
                                                                   : kNoOccurrence;
}

TemplateMatcher::TemplateMatcher(const api::Order& order)
    : order_(order),
      tolerations_(order.spec.daemon_set
                       ? api::DaemonTolerations(order.spec.ticket_template.spec.tolerations)
                       : order.spec.ticket_template.spec.tolerations),
      digest_(Digest(order.spec.ticket_template.metadata)) {}

bool TemplateMatcher::Matches(const OrderTicket& ticket) {
  const auto [known, is_new] = matches_.try_emplace(ticket.form.get());
  if (is_new) {
    known->second = Matches(*ticket.form);
  }
  return known->second &&
         (order_.spec.daemon_set || ticket.node_name == order_.spec.ticket_template.spec.node_name);
}

bool TemplateMatcher::Matches(const TemplateForm& form) const {
  const api::TicketTemplate& tmpl = order_.spec.ticket_template;
  const api::TicketSpec& is = form.spec;
  const api::TicketSpec& wanted = tmpl.spec;
  const bool same_meta = form.digest ? *form.digest == digest_
                                     : Includes(form.labels, tmpl.metadata.labels) &&
                                           Includes(form.annotations, tmpl.metadata.annotations);
  const api::StrategyType type = order_.spec.strategy.type;
  // A ticket of a window without a duration ends with its window; a renewed one when it was renewed
  // to.
  const bool own_end = form.renewed || (type == api::StrategyType::kScheduled && !wanted.duration);
  const bool own_start = type != api::StrategyType::kOneTime;
  return same_meta && (own_end || is.duration == wanted.duration) &&
         (own_start || is.start_time == wanted.start_time) && is.lifecycle == wanted.lifecycle &&
         is.scheduler_name == wanted.scheduler_name &&
         is.priority_class_name == wanted.priority_class_name && is.resources == wanted.resources &&
         is.node_selector == wanted.node_selector && is.affinity == wanted.affinity &&
         is.tolerations == tolerations_ &&
         is.topology_spread_constraints == wanted.topology_spread_constraints;
}

}  // namespace korder::order
