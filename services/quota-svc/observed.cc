#include "quota-svc/observed.h"

#include "api/core/namespace.h"
#include "api/v1alpha1/ticket_window.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

bool ActedOn(const api::Ticket& ticket) { return ticket.status.incarnation >= 1; }
bool Finished(const api::Ticket& ticket) { return api::IsFinished(ticket.status.phase); }

}  // namespace

TicketView ViewOf(const api::Ticket& ticket) {
  return {.uid = ticket.metadata.uid,
          .reservation_id =
              std::string(api::ValueOf(ticket.metadata.annotations, api::kAnnotationGrant)),
          .claim = ClaimOf(ticket),
          .acted_on = ActedOn(ticket),
          .finished = Finished(ticket),
          .name = ticket.metadata.name};
}

bool LedgerSeesChange(const api::Ticket& was, const api::Ticket& is) {
  return was.metadata.uid != is.metadata.uid || ActedOn(was) != ActedOn(is) ||
         Finished(was) != Finished(is) || was.metadata.labels != is.metadata.labels ||
         api::HeldFor(was) != api::HeldFor(is) || was.spec.resources != is.spec.resources;
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
