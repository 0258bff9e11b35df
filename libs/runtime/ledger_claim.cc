#include "runtime/ledger_claim.h"

#include <utility>

#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"

namespace korder::runtime {
namespace {

LedgerClaim MakeClaim(const api::TicketSpec& spec, api::Labels labels) {
  LedgerClaim claim{.requests = api::EffectiveRequests(spec),
                    .duration = std::nullopt,
                    .labels = std::move(labels)};
  if (spec.duration) {
    claim.duration = spec.duration->value();
  }
  return claim;
}

}  // namespace

LedgerClaim ClaimOf(const api::Ticket& ticket) {
  return MakeClaim(ticket.spec, ticket.metadata.labels);
}

LedgerClaim ClaimOf(const api::Order& order) {
  const api::TicketTemplate& ticket = order.spec.ticket_template;
  api::Labels labels = ticket.metadata.labels;
  labels[std::string(api::kLabelOrder)] = order.metadata.name;
  return MakeClaim(ticket.spec, std::move(labels));
}

}  // namespace korder::runtime
