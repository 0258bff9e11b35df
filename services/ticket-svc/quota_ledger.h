// The Ledger of the reconciler as served by quota-svc.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "ticket-svc/reconciler.h"

namespace korder::ticket {

// Thread-safe.
class QuotaLedger final : public Ledger {
 public:
  explicit QuotaLedger(std::shared_ptr<grpc::Channel> channel) : client_(std::move(channel)) {}

  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerTicket& ticket,
                                                  const std::string& reservation_id,
                                                  const runtime::LedgerClaim& claim,
                                                  std::stop_token stop) override {
    return client_.Confirm(ticket, reservation_id, claim, std::move(stop));
  }

 private:
  runtime::LedgerClient client_;
};

}  // namespace korder::ticket
