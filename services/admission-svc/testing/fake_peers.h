// The other services as a test wants them, and what they were asked.
//
//   FakeQuotaDesk quotas;
//   quotas.answer = runtime::AdmitAnswer{.denied = {...}, .warnings = {}};
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "admission-svc/peers.h"

namespace korder::admission {

class FakeQuotaDesk final : public QuotaDesk {
 public:
  absl::StatusOr<runtime::AdmitAnswer> AdmitOrder(const runtime::LedgerOrder& order,
                                                  const runtime::LedgerClaim& claim,
                                                  bool dry_run) override {
    orders.push_back(order);
    return Answer(claim, dry_run);
  }
  absl::StatusOr<runtime::AdmitAnswer> AdmitTicket(const runtime::LedgerTicket& ticket,
                                                   const runtime::LedgerClaim& claim,
                                                   bool dry_run) override {
    tickets.push_back(ticket);
    return Answer(claim, dry_run);
  }

  absl::StatusOr<runtime::AdmitAnswer> answer = runtime::AdmitAnswer{};
  std::vector<runtime::LedgerOrder> orders;
  std::vector<runtime::LedgerTicket> tickets;
  std::vector<runtime::LedgerClaim> claims;
  std::vector<bool> dry_runs;

 private:
  absl::StatusOr<runtime::AdmitAnswer> Answer(const runtime::LedgerClaim& claim, bool dry_run) {
    claims.push_back(claim);
    dry_runs.push_back(dry_run);
    return answer;
  }
};

class FakeTicketDesk final : public TicketDesk {
 public:
  absl::StatusOr<Offer> Ask(const std::string& ns, const std::string& pod_json) override {
    asked.emplace_back(ns, pod_json);
    return answer;
  }

  absl::StatusOr<Offer> answer = Offer{.fits = true, .message = ""};
  std::vector<std::pair<std::string, std::string>> asked;
};

}  // namespace korder::admission
