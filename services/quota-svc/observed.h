// What the ledger takes from API objects.
//
//   desk.Observe([&](Ledger& ledger) { ledger.Observe(ViewOf(ticket)); });
#pragma once

#include <string>

#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "kube/client.h"
#include "quota-svc/ledger.h"
#include "quota-svc/ledger_desk.h"

namespace korder::quota {

TicketView ViewOf(const api::Ticket& ticket);
// False when the ledger would see no difference: most changes of a ticket are such.
bool LedgerSeesChange(const api::Ticket& was, const api::Ticket& is);

// "<namespace>/<name>".
std::string NameOf(const api::Order& order);
bool LedgerSeesChange(const api::Order& was, const api::Order& is);

// Finds the labels of a namespace by a consistent read. Borrows the client.
LedgerDesk::FindNamespace FindNamespaceBy(kube::Client& client);

}  // namespace korder::quota
