// Charges as quota-svc keeps them.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "runtime/ledger_client.h"
#include "runtime/tls.h"
#include "ticket-svc/joined_charges.h"

namespace korder::ticket {

// Thread-safe.
class QuotaCharges final : public Charges {
 public:
  // `address` is a gRPC target.
  QuotaCharges(std::string address, const runtime::TlsMaterial& tls);

  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerConfirmation& asked,
                                                  std::stop_token stop,
                                                  absl::Duration at_most) override;
  // Calls from now on show the new certificate; those under way go on.
  void SetTls(const runtime::TlsMaterial& tls);
  // As LedgerClient::Follow.
  void Follow(std::stop_token stop, const std::function<void()>& answers);

 private:
  runtime::LedgerClient client_;
  JoinedCharges joined_;
};

}  // namespace korder::ticket
