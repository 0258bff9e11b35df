// Objects with the bodies of those that korder writes for a ticket, which none of korder's services
// takes for its own: so what it costs to write them can be measured without korder.
//
//   const TicketCopies copies(ticket, guardian);           // as korder made them
//   TicketCopy copy = copies.Ticket("default", order_uid, 7);
//   api::Pod pod = copies.Guardian(copy);                  // of the ticket as the server has it
//   copy = copies.Ready(copy, "node-1");                   // with the status that ticket-svc
//   writes
//
// The kind is Ticket, schema and all, in a group of its own; the pod has another label in the place
// of the role, by which ticket-svc watches, and a PriorityClass of its own, since korder's is for
// nobody else. All names are as long as korder's. Pure functions, which throw std::runtime_error.
#pragma once

#include <string>
#include <string_view>

#include "api/core/pod.h"
#include "api/meta/resource_type.h"
#include "api/v1alpha1/ticket.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::bench {

struct TicketCopy : api::Ticket {
  static constexpr api::ResourceType kResource{.group = "copy.korder.dev",
                                               .version = api::Ticket::kResource.version,
                                               .plural = api::Ticket::kResource.plural,
                                               .kind = api::Ticket::kResource.kind};

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", kResource.ApiVersion());
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

inline constexpr std::string_view kCopiedKind = "tickets.copy.korder.dev";
inline constexpr std::string_view kCopiedPriorityClass = "copied-guardian";
inline constexpr std::string_view kLabelCopy = "korder.dev/copy";

class TicketCopies {
 public:
  // REQUIRES: the ticket is Ready and of an Order.
  TicketCopies(const api::Ticket& ticket, const api::Pod& guardian);

  // As order-svc creates it for an Order in `ns` that has this uid.
  TicketCopy Ticket(const std::string& ns, const std::string& order_uid, int number) const;
  api::Pod Guardian(const TicketCopy& made) const;
  TicketCopy Ready(TicketCopy made, const std::string& node) const;

 private:
  api::Ticket as_made_;
  api::TicketStatus ready_;
  ticket::GuardianOptions guardian_;
};

// --- what they need; the texts are those of korder's own as the server has them ---

// The CustomResourceDefinition.
std::string KindText(const std::string& tickets_kind);
std::string PriorityClassText(const std::string& guardians_class);

}  // namespace korder::bench
