// Everything the leader has to see, from a consistent list on, handed to the ledger in order.
//
//   Watches watches(client, desk, clock);
//   for (kube::InformerBase* informer : watches.all()) { ... a thread that runs it ... }
//   watches.WaitForSync(stop);
//
// Made anew for each term: a new leader must not decide by what it saw as a follower, and the
// ledger must see every change after its list exactly once.
#pragma once

#include <stop_token>
#include <vector>

#include "api/core/namespace.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "base/clock.h"
#include "kube/informer.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/observed.h"

namespace korder::quota {

class Watches {
 public:
  // Borrows everything.
  Watches(kube::Client& client, LedgerDesk& desk, const Clock& clock);

  const kube::Store<api::Quota>& quotas() const { return quotas_.store(); }
  const kube::Store<api::Order>& orders() const { return orders_.store(); }
  const kube::Store<LedgerTicket>& tickets() const { return tickets_.store(); }

  // Called after the ledger knows of the change. REQUIRES: nothing runs yet.
  void OnQuota(kube::Informer<api::Quota>::Handler handler);

  std::vector<kube::InformerBase*> all();
  // True once all that there is has been handed to the ledger.
  bool WaitForSync(std::stop_token stop);

 private:
  void WatchQuotas(LedgerDesk& desk, const Clock& clock);
  void WatchNamespaces(LedgerDesk& desk);
  void WatchOrders(LedgerDesk& desk);
  void WatchTickets(LedgerDesk& desk);

  kube::Informer<api::Quota> quotas_;
  kube::Informer<api::Namespace> namespaces_;
  kube::Informer<api::Order> orders_;
  kube::Informer<LedgerTicket> tickets_;
};

}  // namespace korder::quota
