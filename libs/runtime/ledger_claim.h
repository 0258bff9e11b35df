// What a ticket takes of quotas, in the one way in which every service asks for it. Pure.
//
//   ASSIGN_OR_RETURN(auto answer, ledger.AdmitOrder(subject, ClaimOf(order), dry_run));
#pragma once

#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "runtime/ledger_client.h"

namespace korder::runtime {

// As its spec says.
LedgerClaim ClaimOf(const api::Ticket& ticket);
// Of each ticket that is made for the order.
LedgerClaim ClaimOf(const api::Order& order);

}  // namespace korder::runtime
