#include "quota-svc/observed.h"

#include <utility>

#include "api/core/namespace.h"
#include "base/shared_pool.h"
#include "base/status_macros.h"
#include "json/fields.h"

namespace korder::quota {

LedgerTicket Reduced(api::Ticket ticket) {
  ClaimPtr claim = SharedInProcess(ClaimOf(ticket));  // those of an order are equal
  api::ObjectMeta& meta = ticket.metadata;
  return {.metadata = api::TakeIdentity(meta),
          .reservation_id = std::string(api::ValueOf(meta.annotations, api::kAnnotationGrant)),
          .claim = std::move(claim),
          .acted_on = ticket.status.incarnation >= 1,
          .finished = api::IsFinished(ticket.status.phase)};
}

void ReadJson(json::Reader& r, LedgerTicket& out) {
  api::Ticket ticket;
  json::ReadJson(r, ticket);
  out = Reduced(std::move(ticket));
}

TicketView ViewOf(const LedgerTicket& ticket) {
  return {.uid = ticket.metadata.uid,
          .reservation_id = ticket.reservation_id,
          .claim = *ticket.claim,
          .acted_on = ticket.acted_on,
          .finished = ticket.finished,
          .name = ticket.metadata.name};
}

bool LedgerSeesChange(const LedgerTicket& was, const LedgerTicket& is) {
  return was.metadata.uid != is.metadata.uid || was.acted_on != is.acted_on ||
         was.finished != is.finished || was.claim != is.claim;
}

std::string NameOf(const api::Order& order) {
  return order.metadata.ns + "/" + order.metadata.name;
}

bool LedgerSeesChange(const api::Order& was, const api::Order& is) {
  return was.metadata.uid != is.metadata.uid || was.metadata.deleting() != is.metadata.deleting() ||
         was.metadata.labels != is.metadata.labels;
}

LedgerDesk::FindNamespace FindNamespaceBy(kube::Client& client) {
  return [&client](const std::string& ns) -> absl::StatusOr<std::optional<api::Labels>> {
    const absl::StatusOr<api::Namespace> found =
        client.Get<api::Namespace>({"", ns}, {.timeout = absl::Seconds(3)});
    if (absl::IsNotFound(found.status())) {
      return std::nullopt;
    }
    RETURN_IF_ERROR(found.status());
    return found->metadata.labels;
  };
}

}  // namespace korder::quota
