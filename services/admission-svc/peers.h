// What admission-svc asks of the other services while an API request waits: two narrow interfaces,
// so that the webhooks can be tested without a network.
//
//   absl::StatusOr<Offer> offer = desk.Ask("default", pod_json);
//
// An error means that the other service could not decide or did not answer in time. Implementations
// are thread-safe and answer within a second or so: the API server waits for us.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "runtime/ledger_client.h"

namespace korder::admission {

// quota-svc, as admission needs it.
class QuotaDesk {
 public:
  virtual ~QuotaDesk() = default;
  virtual absl::StatusOr<runtime::AdmitAnswer> AdmitOrder(const runtime::LedgerOrder& order,
                                                          const runtime::LedgerClaim& claim,
                                                          bool dry_run) = 0;
  virtual absl::StatusOr<runtime::AdmitAnswer> AdmitTicket(const runtime::LedgerTicket& ticket,
                                                           const runtime::LedgerClaim& claim,
                                                           bool dry_run) = 0;
};

// What ticket-svc would do for a pod now.
struct Offer {
  bool fits = false;
  std::string message;  // why nothing fits
  // What fits.
  std::string ticket = {};
  std::string order = {};
  std::string node = {};
  // What would help when nothing does, most useful first.
  std::vector<std::string> help = {};
};

class TicketDesk {
 public:
  virtual ~TicketDesk() = default;
  // No effect on anything. `pod_json` is the pod as the API server sent it.
  virtual absl::StatusOr<Offer> Ask(const std::string& ns, const std::string& pod_json) = 0;
};

}  // namespace korder::admission
