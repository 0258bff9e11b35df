#include "ticket-svc/quota_charges.h"

#include <utility>

namespace korder::ticket {

QuotaCharges::QuotaCharges(std::string address, const runtime::TlsMaterial& tls)
    : client_(std::move(address), tls),
      joined_([this](const auto& asked, std::stop_token stop, absl::Duration at_most) {
        return client_.Confirm(asked, std::move(stop), at_most);
      }) {}

void QuotaCharges::SetTls(const runtime::TlsMaterial& tls) { client_.SetTls(tls); }

void QuotaCharges::Follow(std::stop_token stop, const std::function<void()>& answers) {
  client_.Follow(std::move(stop), answers);
}

absl::StatusOr<runtime::LedgerDecision> QuotaCharges::Confirm(
    const runtime::LedgerConfirmation& asked, std::stop_token stop, absl::Duration at_most) {
  return joined_.Confirm(asked, std::move(stop), at_most);
}

}  // namespace korder::ticket
