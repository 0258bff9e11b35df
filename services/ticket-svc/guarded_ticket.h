// A Ticket, reduced to what ticket-svc looks at: its store holds tens of thousands.
//
//   kube::Informer<GuardedTicket> tickets(client);
//   if (ticket.status.phase == api::TicketPhase::kReady) { ... ticket.form->requests ... }
//   client.UpdateStatus(WithStatus(ticket, ReadyStatus(ticket, guardian, 1, now)));
//
// What the tickets of an order have in common is kept once: equal forms are the same object.
// Nothing that korder knows is lost: Whole(Reduced(ticket)) == ticket, and metadata and status are
// the same to the letter. That takes memory and time, so it is for the one ticket that something is
// done about, never for all of a namespace.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/meta/condition.h"
#include "api/meta/object_identity.h"
#include "api/meta/object_meta.h"
#include "api/v1alpha1/ticket.h"
#include "api/v1alpha1/ticket_spec.h"
#include "api/v1alpha1/ticket_window.h"
#include "base/boxed.h"
#include "base/compact_id.h"
#include "base/compact_time.h"
#include "base/shared_text.h"
#include "json/reader.h"
#include "kube/object_key.h"

namespace korder::ticket {

// All of a ticket but what is its own: spec, owners, labels and so on, which it shares with others.
struct SharedForm {
  // Labels, annotations, owners and so on, without what is the ticket's own: its names, version and
  // times; the grant, the renewal, and the node's label when it says what spec.nodeName says.
  api::ObjectMeta metadata;
  api::TicketSpec spec;  // without nodeName, and without the duration of a renewed ticket
  bool has_node_label = false;
  api::ResourceList requests;  // what it reserves: EffectiveRequests

  bool operator==(const SharedForm&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const SharedForm& form) {
    for (const api::Labels* map :
         {&form.metadata.labels, &form.metadata.annotations, &form.spec.node_selector}) {
      for (const auto& [key, value] : *map) {
        h = H::combine(std::move(h), key, value);
      }
    }
    for (const api::OwnerReference& owner : form.metadata.owner_references) {
      h = H::combine(std::move(h), owner.uid);
    }
    for (const auto& [resource, quantity] : form.requests) {
      h = H::combine(std::move(h), resource, quantity);
    }
    const auto& duration = form.spec.duration;
    return H::combine(std::move(h), form.spec.start_time.value_or(absl::InfinitePast()),
                      duration ? duration->value() : absl::InfiniteDuration());
  }
};

struct GuardedTicket {
  static constexpr const api::ResourceType& kResource = api::Ticket::kResource;

  struct Metadata : api::ObjectIdentity {
    int64_t generation = 0;
    CompactTime creation_timestamp;
    CompactTime deletion_timestamp;

    bool deleting() const { return deletion_timestamp.has_value(); }
  };
  struct Renewal {
    std::string note;  // its annotation
    std::optional<api::DurationField> duration;
  };
  struct Trouble {
    std::string reason;
    std::string message;
  };
  // By the pod that has the room, or is to have it.
  struct Claim {
    std::string pod;  // "namespace/name"
    std::string pod_uid;
    std::optional<absl::Time> time;
    std::string utilization_rate;
  };
  // All of a condition but its time: that many tickets have the same.
  struct Words {
    std::string type;
    api::ConditionStatus status = api::ConditionStatus::kUnknown;
    int64_t observed_generation = 0;
    std::string reason;
    std::string message;

    bool operator==(const Words&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Words& words) {
      return H::combine(std::move(h), words.type, words.status, words.observed_generation,
                        words.reason, words.message);
    }
  };
  struct Condition {
    std::shared_ptr<const Words> words;
    CompactTime since;
  };
  struct Status {
    api::TicketPhase phase = api::TicketPhase::kPending;
    int32_t incarnation = 0;
    int64_t observed_generation = 0;
    SharedText node_name;
    CompactTime activation_time;
    CompactTime expiration_time;
    CompactTime finished_time;
    // The guardian that it names is the one of this incarnation, as nearly always; or it is this
    // one. GuardianKey tells which.
    bool names_newest = false;
    Boxed<std::string> other_guardian;
    Boxed<Trouble> trouble;  // most tickets have none to tell of
    Boxed<Claim> claim;
    Boxed<api::TicketHandoff> handoff;
    std::vector<Condition> conditions;

    // Empty texts when there is none.
    const std::string& reason() const;
    const std::string& message() const;
    const std::string& claimed_pod() const;
    const std::string& claimed_pod_uid() const;
  };

  Metadata metadata;
  std::shared_ptr<const SharedForm> form;  // never null once it is read
  SharedText node_name;                    // spec.nodeName
  CompactId grant;                         // its annotation; empty: in `form`, or none
  Boxed<Renewal> renewal;
  Status status;

  const std::optional<api::DurationField>& duration() const {
    return renewal ? renewal->duration : form->spec.duration;
  }
  std::string_view order() const { return api::ValueOf(form->metadata.labels, api::kLabelOrder); }
  operator api::WindowTerms() const {  // NOLINT(google-explicit-constructor): as api::Ticket
    return {form->spec.start_time, duration(), status.activation_time, status.expiration_time};
  }
};

using TicketPtr = std::shared_ptr<const GuardedTicket>;

GuardedTicket Reduced(api::Ticket ticket);
void ReadJson(json::Reader& r, GuardedTicket& out);

api::Ticket Whole(const GuardedTicket& ticket);
api::TicketStatus WholeStatus(const GuardedTicket& ticket);
api::Labels LabelsOf(const GuardedTicket& ticket);
// The ticket as it is written when its status changes: without its spec.
api::Ticket WithStatus(const GuardedTicket& ticket, api::TicketStatus status);

// Of the guardian that the status names; two empty texts when it names none.
kube::ObjectKey GuardianKey(const GuardedTicket& ticket);

}  // namespace korder::ticket
