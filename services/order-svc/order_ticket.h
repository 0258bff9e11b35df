// A Ticket, reduced to what order-svc looks at: its store holds tens of thousands.
//
//   kube::Informer<OrderTicket> tickets(client);
//   if (ticket.phase == api::TicketPhase::kReady) { ... ticket.form->spec.resources ... }
//
// What the tickets of an order have in common is kept once: equal forms are the same object, so
// whoever has looked at one has looked at that of all tickets that point to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/meta/object_identity.h"
#include "api/meta/object_meta.h"
#include "api/v1alpha1/ticket.h"
#include "api/v1alpha1/ticket_spec.h"
#include "base/boxed.h"
#include "base/compact_time.h"
#include "base/shared_text.h"
#include "json/reader.h"
#include "kube/store.h"

namespace korder::order {

// What the order and its template gave the ticket, for TemplateMatcher to look at.
struct TemplateForm {
  // The managing one. Of a ticket without, which is no order's, the form is empty.
  std::optional<api::OwnerReference> owner;
  std::optional<absl::Time> occurrence;  // that its label names
  bool renewed = false;
  // Of the template's labels and annotations (kAnnotationTemplate).
  std::optional<std::string> digest;
  // Only of a ticket without a digest; without the node, the grant and the renewal.
  api::Labels labels;
  api::Labels annotations;
  api::TicketSpec spec;  // without nodeName, and without the duration of a renewed ticket

  bool operator==(const TemplateForm&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const TemplateForm& form) {
    for (const api::Labels* map : {&form.labels, &form.annotations, &form.spec.node_selector}) {
      for (const auto& [key, value] : *map) {
        h = H::combine(std::move(h), key, value);
      }
    }
    for (const auto& [resource, quantity] : form.spec.resources.requests) {
      h = H::combine(std::move(h), resource, quantity);
    }
    const auto& duration = form.spec.duration;
    return H::combine(std::move(h), form.owner ? form.owner->uid : "", form.renewed,
                      form.digest.value_or(""), form.spec.start_time.value_or(absl::InfinitePast()),
                      duration ? duration->value() : absl::InfiniteDuration());
  }
};

struct OrderTicket {
  static constexpr const api::ResourceType& kResource = api::Ticket::kResource;

  // Why it is as it is, in ticket-svc's words.
  struct Trouble {
    std::string reason;
    std::string message;
    bool operator==(const Trouble&) const = default;
  };
  struct Renewal {
    absl::Time tick;  // for which it was renewed
    std::optional<api::DurationField> duration;
    bool operator==(const Renewal&) const = default;
  };

  api::ObjectIdentity metadata;
  SharedText node_name;  // spec.nodeName
  std::shared_ptr<const TemplateForm> form;
  Boxed<Trouble> trouble;  // most tickets have none to tell of
  Boxed<Renewal> renewal;
  CompactTime activation_time;
  CompactTime finished_time;
  // While it is Ready: since when. Without its condition, for ever.
  CompactTime ready_since;
  api::TicketPhase phase = api::TicketPhase::kPending;
  bool deleting = false;
  bool in_handoff = false;

  bool operator==(const OrderTicket&) const = default;
  const std::optional<api::DurationField>& duration() const {
    return renewal ? renewal->duration : form->spec.duration;
  }
  // Empty texts when there is no trouble.
  const Trouble& Why() const;
};

OrderTicket Reduced(api::Ticket ticket);
void ReadJson(json::Reader& r, OrderTicket& out);

// The index of a store of them that finds an order's tickets: the managing owner's UID.
inline constexpr std::string_view kOwnerIndex = "owner";
kube::IndexValues OwnerIndex(const OrderTicket& ticket);

// "20261129T020000Z": the value of the occurrence's label, which sorts by time.
std::string OccurrenceName(absl::Time start);

}  // namespace korder::order
