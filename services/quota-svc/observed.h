// What the ledger takes from API objects.
//
//   desk.Observe([&](Ledger& ledger) { ledger.Observe(ViewOf(ticket)); });
#pragma once

#include <string>

#include "api/meta/object_identity.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "base/compact_id.h"
#include "json/reader.h"
#include "kube/client.h"
#include "quota-svc/ledger.h"
#include "quota-svc/ledger_desk.h"

namespace korder::quota {

// A Ticket, reduced to what the ledger sees of it: the store holds thousands.
struct LedgerTicket {
  static constexpr const api::ResourceType& kResource = api::Ticket::kResource;

  api::ObjectIdentity metadata;
  CompactId reservation_id;
  ClaimPtr claim;  // equal ones are the same object
  bool acted_on = false;
  bool finished = false;
};

LedgerTicket Reduced(api::Ticket ticket);
void ReadJson(json::Reader& r, LedgerTicket& out);

TicketView ViewOf(const LedgerTicket& ticket);
// False when the ledger would see no difference: most changes of a ticket are such.
bool LedgerSeesChange(const LedgerTicket& was, const LedgerTicket& is);

// "<namespace>/<name>".
std::string NameOf(const api::Order& order);
bool LedgerSeesChange(const api::Order& was, const api::Order& is);

// Finds the labels of a namespace by a consistent read. Borrows the client.
LedgerDesk::FindNamespace FindNamespaceBy(kube::Client& client);

}  // namespace korder::quota
