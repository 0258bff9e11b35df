// What the tickets of an order look like, and what a ticket's look tells. Pure.
//
//   const api::Ticket ticket = MakeTicket(order, {.node = "n1"}, 7);   // "my-order-7"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "order-svc/observed.h"

namespace korder::order {

// The ticket as it is created, without the grant that it will carry. `now` tells whether the
// template's startTime is still to come.
api::Ticket MakeTicket(const api::Order& order, const Cell& cell, int64_t ordinal, absl::Time now);

// "my-order-7"; long order names are shortened with a hash so that names stay valid label values.
std::string TicketName(const api::Order& order, int64_t ordinal);
// The ordinal in a ticket's name, or -1 when there is none.
int64_t OrdinalOf(const std::string& ticket);
// The occurrence that the ticket is for; nullopt for one without in an order that has them.
std::optional<absl::Time> OccurrenceOf(const api::Order& order, const OrderTicket& ticket);

// The template would give such a ticket today. What differs from ticket to ticket (its node, its
// window, a renewal) does not count. Each form is looked at once. Not thread-safe.
class TemplateMatcher {
 public:
  // Borrows the order, and the forms of the tickets.
  explicit TemplateMatcher(const api::Order& order);
  bool Matches(const OrderTicket& ticket);

 private:
  bool Matches(const TemplateForm& form) const;

  const api::Order& order_;
  std::vector<api::Toleration> tolerations_;
  std::string digest_;
  absl::flat_hash_map<const TemplateForm*, bool> matches_;
};

}  // namespace korder::order
