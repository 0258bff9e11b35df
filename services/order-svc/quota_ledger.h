// The Ledger of the reconciler as served by quota-svc.
#pragma once

#include <memory>
#include <utility>

#include "order-svc/reconciler.h"

namespace korder::order {

// Thread-safe.
class QuotaLedger final : public Ledger {
 public:
  explicit QuotaLedger(std::shared_ptr<grpc::Channel> channel) : client_(std::move(channel)) {}

  absl::StatusOr<std::vector<runtime::LedgerDecision>> Reserve(const std::string& ns,
                                                               const runtime::LedgerClaim& claim,
                                                               const std::vector<std::string>& ids,
                                                               std::stop_token stop) override {
    return client_.Reserve(ns, claim, ids, std::move(stop));
  }
  absl::Status Release(const std::vector<std::string>& ids, std::stop_token stop) override {
    return client_.Release(ids, std::move(stop));
  }

 private:
  runtime::LedgerClient client_;
};

}  // namespace korder::order
