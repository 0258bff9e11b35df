#include "ticket-svc/quota_charges.h"

#include <utility>

namespace korder::ticket {

QuotaCharges::QuotaCharges(std::string address, const runtime::TlsMaterial& tls)
    : client_(std::move(address), tls) {}

void QuotaCharges::SetTls(const runtime::TlsMaterial& tls) { client_.SetTls(tls); }

absl::StatusOr<runtime::LedgerDecision> QuotaCharges::Confirm(const runtime::LedgerTicket& ticket,
                                                              const std::string& reservation_id,
                                                              const runtime::LedgerClaim& claim,
                                                              std::stop_token stop,
                                                              absl::Duration at_most) {
  return client_.Confirm(ticket, reservation_id, claim, std::move(stop), at_most);
}

}  // namespace korder::ticket
