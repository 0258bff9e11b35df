// Runs something while this process holds a Lease, so that one replica of a service acts at a time.
// Leadership is not a fence: what must never happen twice is guarded by preconditions and epochs.
//
//   elector.Run(stop, [&](std::stop_token leading, int64_t epoch) { controller.Run(leading); });
//
// The decision is LeaseStep (lease_step.h), which is pure: only local observation times count,
// times written by other processes are never compared with our clock.
#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "kube/client.h"
#include "kube/lease_step.h"

namespace korder::kube {

struct LeaderElectionOptions {
  std::string ns = "korder-system";
  std::string name;      // of the Lease
  std::string identity;  // of this process, unique
  absl::Duration lease_duration = absl::Seconds(6);
  absl::Duration renew_deadline = absl::Seconds(4);
  absl::Duration retry_period = absl::Seconds(1);
};

// INVALID_ARGUMENT when the timings contradict each other (lease > renew deadline > retry > 0).
absl::Status Validate(const LeaderElectionOptions& options);

class LeaderElector {
 public:
  using WhileLeading = std::function<void(std::stop_token leading, int64_t epoch)>;

  // Borrows client and clock. REQUIRES: Validate(options) is OK.
  LeaderElector(Client& client, const Clock& clock, LeaderElectionOptions options);

  // Until stop: waits for the lease, runs `lead` on a thread of its own while renewing, asks it to
  // stop when the lease is lost, waits for it, and begins anew. Releases the lease at the end.
  // `epoch` is the Lease's leaseTransitions: larger for every later leader.
  void Run(std::stop_token stop, const WhileLeading& lead);

  bool leading() const { return leading_.load(std::memory_order_acquire); }

 private:
  class Term;

  Client& client_;
  const Clock& clock_;
  const LeaderElectionOptions options_;
  std::atomic<bool> leading_ = false;
};

}  // namespace korder::kube
