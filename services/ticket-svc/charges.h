// Asks whether a ticket is charged: quota-svc, or a double in tests.
#pragma once

#include <stop_token>

#include "absl/time/time.h"
#include "runtime/ledger_client.h"

namespace korder::ticket {

// Thread-safe.
class Charges {
 public:
  virtual ~Charges() = default;
  // May be asked any number of times for one ticket. Waits no longer than `at_most`.
  virtual absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerConfirmation& asked,
                                                          std::stop_token stop,
                                                          absl::Duration at_most) = 0;
};

}  // namespace korder::ticket
