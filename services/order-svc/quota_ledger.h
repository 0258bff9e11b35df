// The Ledger of the reconciler as served by quota-svc.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "order-svc/reconciler.h"
#include "runtime/ledger_client.h"

namespace korder::order {

// Thread-safe.
class QuotaLedger final : public Ledger {
 public:
  // `address` is a gRPC target.
  QuotaLedger(std::string address, const runtime::TlsMaterial& tls)
      : client_(std::move(address), tls) {}

  absl::StatusOr<std::vector<runtime::LedgerDecision>> Reserve(
      const std::string& ns, const runtime::LedgerClaim& claim,
      const std::vector<runtime::LedgerReservation>& wanted, std::stop_token stop) override {
    return client_.Reserve(ns, claim, wanted, std::move(stop));
  }
  absl::Status Release(const std::vector<std::string>& ids, std::stop_token stop) override {
    return client_.Release(ids, std::move(stop));
  }
  absl::StatusOr<runtime::LedgerForecast> Check(const runtime::LedgerQuestion& question,
                                                std::stop_token stop) {
    return client_.Check(question, std::move(stop));
  }
  // Calls from now on show the new certificate.
  void SetTls(const runtime::TlsMaterial& tls) { client_.SetTls(tls); }
  // As LedgerClient::Follow.
  void Follow(std::stop_token stop, const std::function<void()>& answers) {
    client_.Follow(std::move(stop), answers);
  }

 private:
  runtime::LedgerClient client_;
};

}  // namespace korder::order
