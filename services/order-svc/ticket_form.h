// What the tickets of an order look like, and what a ticket's look tells. Pure.
//
//   const api::Ticket ticket = MakeTicket(order, {.node = "n1"}, 7);   // "my-order-7"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "order-svc/observed.h"

namespace korder::order {

// The ticket as it is created, without the grant that it will carry. `now` tells whether the
// template's startTime is still to come.
api::Ticket MakeTicket(const api::Order& order, const Cell& cell, int64_t ordinal, absl::Time now);

// Takes out of a ticket what order-svc never looks at: there may be thousands.
void TrimTicket(api::Ticket& ticket);

// "my-order-7"; long order names are shortened with a hash so that names stay valid label values.
std::string TicketName(const api::Order& order, int64_t ordinal);
// The ordinal of a ticket of this order, or -1 when its name does not tell.
int64_t OrdinalOf(const api::Ticket& ticket);
// What the ticket is for, by its labels; nullopt for a ticket without an occurrence in an order
// that has them.
std::optional<Cell> CellOf(const api::Order& order, const api::Ticket& ticket);

// "20261129T020000Z": a label value that sorts by time.
std::string OccurrenceName(absl::Time start);

// The template would give such a ticket today. What differs from ticket to ticket (its node, its
// window, a renewal) does not count.
class TemplateMatcher {
 public:
  // Borrows the order.
  explicit TemplateMatcher(const api::Order& order);
  bool Matches(const api::Ticket& ticket) const;

 private:
  const api::Order& order_;
  std::vector<api::Toleration> tolerations_;
  std::string digest_;
};

}  // namespace korder::order
