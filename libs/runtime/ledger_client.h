// The client side of quota-svc's QuotaLedger, as order-svc, ticket-svc and admission-svc use it.
//
//   LedgerClient ledger(config.quota_address, tls);
//   ASSIGN_OR_RETURN(auto decisions, ledger.Reserve("default", claim, {{id, name}}, stop));
//
// A denial is an answer. An error means that quota-svc could not decide: UNAVAILABLE (try again),
// INVALID_ARGUMENT (the request is wrong), DEADLINE_EXCEEDED, CANCELLED on stop. Every call may be
// repeated after any failure. Answers of an older leader than the newest seen are dropped as
// UNAVAILABLE. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/value/labels.h"
#include "base/status.h"
#include "runtime/tls.h"

namespace korder::runtime {

// What one ticket takes, and what quotas match it by.
struct LedgerClaim {
  api::ResourceList requests;
  std::optional<absl::Duration> duration;  // absent = without end
  api::Labels labels;
  // Only for a window that has begun and is to be made longer: what of `duration` is still to come.
  // Decides for max-duration then.
  std::optional<absl::Duration> remaining = std::nullopt;
};

struct LedgerDenial {
  std::string quota;
  std::string resource;
  std::string message;
  std::optional<absl::Time> next_change;
  // The numbers of it, as texts.
  std::string requested = {};
  std::string used = {};
  std::string limit = {};
};

struct LedgerReservation {
  std::string id;      // unique for ever
  std::string ticket;  // the name of the one that it is for
};

struct LedgerDecision {
  std::string id;
  std::optional<LedgerDenial> denied;
  bool granted() const { return !denied.has_value(); }
};

struct LedgerTicket {
  std::string ns;
  std::string name;
  std::string uid;
};

// An existing ticket that asks whether it is charged.
struct LedgerConfirmation {
  LedgerTicket ticket;
  std::string reservation_id;  // the grant that the ticket carries, or empty
  LedgerClaim claim;
};

struct LedgerOrder {
  std::string ns;
  std::string name;
  int32_t replicas = 0;
  api::Labels labels;
  bool create = false;
};

// What would fit, now or at another time.
struct LedgerQuestion {
  std::string ns;
  LedgerClaim claim;  // of each ticket
  int32_t tickets = 0;
  // Also one Order with these labels.
  std::optional<api::Labels> order_labels;
  std::optional<absl::Time> time;  // by the limits in force then
};

struct LedgerForecast {
  int32_t fitting_tickets = 0;
  bool order_fits = true;
  // Every limit that the whole does not fit; empty when it does.
  std::vector<LedgerDenial> denials;
  std::vector<std::string> quotas;  // those that count it
};

struct AdmitAnswer {
  std::optional<LedgerDenial> denied;
  std::vector<std::string> warnings;
};

struct LedgerStubs;  // ledger_stubs.h

class LedgerClient {
 public:
  static constexpr char kService[] = "korder.quota.v1.QuotaLedger";

  // `address` is a gRPC target. Among its addresses the one that leads is used.
  LedgerClient(std::string address, const TlsMaterial& tls,
               absl::Duration timeout = absl::Seconds(3));
  // Without a network: for a simulation. Borrows the stubs.
  explicit LedgerClient(LedgerStubs& stubs, absl::Duration timeout = absl::Seconds(3));
  ~LedgerClient();

  // Calls from now on show the new certificate; those under way go on.
  void SetTls(const TlsMaterial& tls);
  // Until stop: calls `answers` each time that there is a leader again that answers. For whoever
  // was told UNAVAILABLE and would otherwise wait for its next try. One thread at a time.
  void Follow(std::stop_token stop, const std::function<void()>& answers);

  // One decision for each, in order.
  absl::StatusOr<std::vector<LedgerDecision>> Reserve(const std::string& ns,
                                                      const LedgerClaim& claim,
                                                      const std::vector<LedgerReservation>& wanted,
                                                      std::stop_token stop);
  absl::Status Release(const std::vector<std::string>& ids, std::stop_token stop);
  // One decision for each, in order. An error may be due to a single one of them. Waits no longer
  // than `at_most`.
  absl::StatusOr<std::vector<LedgerDecision>> Confirm(
      const std::vector<LedgerConfirmation>& asked, std::stop_token stop,
      absl::Duration at_most = absl::InfiniteDuration());
  absl::StatusOr<AdmitAnswer> AdmitOrder(const LedgerOrder& order, const LedgerClaim& claim,
                                         bool dry_run);
  absl::StatusOr<AdmitAnswer> AdmitTicket(const LedgerTicket& ticket, const LedgerClaim& claim,
                                          bool dry_run);
  // Changes nothing.
  absl::StatusOr<LedgerForecast> Check(const LedgerQuestion& question, std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
