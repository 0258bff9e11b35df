// Charges as quota-svc keeps them.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "runtime/tls.h"
#include "ticket-svc/charges.h"

namespace korder::ticket {

// Thread-safe.
class QuotaCharges final : public Charges {
 public:
  // `address` is a gRPC target.
  QuotaCharges(std::string address, const runtime::TlsMaterial& tls);

  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerTicket& ticket,
                                                  const std::string& reservation_id,
                                                  const runtime::LedgerClaim& claim,
                                                  std::stop_token stop) override;
  // Calls from now on show the new certificate; those under way go on.
  void SetTls(const runtime::TlsMaterial& tls);

 private:
  const std::string address_;
  mutable Mutex mu_;
  // Shared with the calls under way.
  std::shared_ptr<runtime::LedgerClient> client_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
