#include "ticket-svc/quota_charges.h"

#include <utility>

#include "runtime/grpc_client.h"

namespace korder::ticket {

QuotaCharges::QuotaCharges(std::string address, const runtime::TlsMaterial& tls)
    : address_(std::move(address)) {
  SetTls(tls);
}

void QuotaCharges::SetTls(const runtime::TlsMaterial& tls) {
  auto client = std::make_shared<runtime::LedgerClient>(
      runtime::NewChannel({.address = address_,
                           .peer = "korder-quota-svc",
                           .tls = tls,
                           .health_service = runtime::LedgerClient::kService}));
  const MutexLock lock(mu_);
  client_.swap(client);
}

absl::StatusOr<runtime::LedgerDecision> QuotaCharges::Confirm(const runtime::LedgerTicket& ticket,
                                                              const std::string& reservation_id,
                                                              const runtime::LedgerClaim& claim,
                                                              std::stop_token stop) {
  std::shared_ptr<runtime::LedgerClient> client;
  {
    const MutexLock lock(mu_);
    client = client_;
  }
  return client->Confirm(ticket, reservation_id, claim, std::move(stop));
}

}  // namespace korder::ticket
