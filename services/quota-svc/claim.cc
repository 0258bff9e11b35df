#include "quota-svc/claim.h"

#include <algorithm>

#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/duration_field.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket_window.h"

namespace korder::quota {

Claim MakeTicketClaim(std::string ns, api::Labels labels, const api::ResourceList& requests,
                      std::optional<absl::Duration> duration) {
  Claim claim{
      .ns = std::move(ns), .labels = std::move(labels), .amounts = {}, .duration = duration};
  claim.amounts[std::string(api::kQuotaTickets)] = api::Quantity::FromInt(1);
  for (const auto& [resource, quantity] : requests) {
    if (!quantity.IsNegative() && !quantity.IsZero()) {
      claim.amounts[std::string(api::kQuotaReservedPrefix) + resource] =
          std::min(quantity, kMaxAmount);
    }
  }
  return claim;
}

Claim ClaimOf(const api::Ticket& ticket) {
  return MakeTicketClaim(ticket.metadata.ns, ticket.metadata.labels,
                         api::EffectiveRequests(ticket.spec), api::HeldFor(ticket));
}

Claim MakeOrderClaim(std::string ns, api::Labels labels) {
  Claim claim{.ns = std::move(ns), .labels = std::move(labels), .amounts = {}, .duration = {}};
  claim.amounts[std::string(api::kQuotaOrders)] = api::Quantity::FromInt(1);
  return claim;
}

std::string DurationText(absl::Duration duration) { return api::DurationField(duration).text(); }

}  // namespace korder::quota
