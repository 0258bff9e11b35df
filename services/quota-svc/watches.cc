#include "quota-svc/watches.h"

#include <utility>

#include "api/meta/object_meta.h"
#include "quota-svc/observed.h"

namespace korder::quota {
namespace {

template <class T>
bool Replaced(const T* was, const T* is) {
  return was != nullptr && (is == nullptr || was->metadata.uid != is->metadata.uid);
}

}  // namespace

Watches::Watches(kube::Client& client, LedgerDesk& desk, const Clock& clock)
    : quotas_(client), namespaces_(client), orders_(client), tickets_(client) {
  WatchQuotas(desk, clock);
  WatchNamespaces(desk);
  WatchOrders(desk);
  WatchTickets(desk);
}

void Watches::WatchQuotas(LedgerDesk& desk, const Clock& clock) {
  quotas_.OnChange([&desk, &clock](const api::Quota* was, const api::Quota* is) {
    if (is == nullptr) {
      desk.Observe([&](Ledger& ledger) { ledger.EraseQuota(was->metadata.name); });
    } else if (was == nullptr || was->spec != is->spec ||
               was->metadata.generation != is->metadata.generation) {
      desk.Observe([&](Ledger& ledger) { ledger.PutQuota(Compile(*is), clock.Now()); });
    }
  });
}

void Watches::WatchNamespaces(LedgerDesk& desk) {
  namespaces_.OnChange([&desk](const api::Namespace* was, const api::Namespace* is) {
    if (is == nullptr) {
      desk.Observe([&](Ledger& ledger) { ledger.EraseNamespace(was->metadata.name); });
    } else if (was == nullptr || was->metadata.labels != is->metadata.labels) {
      desk.Observe(
          [&](Ledger& ledger) { ledger.PutNamespace(is->metadata.name, is->metadata.labels); });
    }
  });
}

void Watches::WatchOrders(LedgerDesk& desk) {
  orders_.OnChange([&desk](const api::Order* was, const api::Order* is) {
    if (was != nullptr && is != nullptr && !LedgerSeesChange(*was, *is)) {
      return;
    }
    desk.Observe([&](Ledger& ledger) {
      if (Replaced(was, is)) {
        ledger.OrderGone(was->metadata.uid);
      }
      if (is != nullptr && is->metadata.deleting()) {
        ledger.OrderGone(is->metadata.uid);
      } else if (is != nullptr) {
        ledger.OrderSeen(is->metadata.uid, NameOf(*is),
                         MakeOrderClaim(is->metadata.ns, is->metadata.labels));
      }
    });
  });
}

void Watches::WatchTickets(LedgerDesk& desk) {
  tickets_.OnChange([&desk](const LedgerTicket* was, const LedgerTicket* is) {
    if (was != nullptr && is != nullptr && !LedgerSeesChange(*was, *is)) {
      return;
    }
    desk.Observe([&](Ledger& ledger) {
      if (Replaced(was, is)) {
        ledger.TicketGone(was->metadata.uid);
      }
      if (is != nullptr) {
        ledger.Observe(ViewOf(*is));
      }
    });
  });
}

void Watches::OnQuota(kube::Informer<api::Quota>::Handler handler) {
  quotas_.OnChange(std::move(handler));
}

std::vector<kube::InformerBase*> Watches::all() {
  return {&quotas_, &namespaces_, &orders_, &tickets_};
}

bool Watches::WaitForSync(std::stop_token stop) {
  for (kube::InformerBase* informer : all()) {
    if (!informer->WaitForSync(stop)) {
      return false;
    }
  }
  return true;
}

}  // namespace korder::quota
