// Runs something while this process holds a Lease, so that one replica of a service acts at a time.
// Leadership is not a fence: what must never happen twice is guarded by preconditions and epochs.
//
//   elector.Run(stop, [&](std::stop_token leading, int64_t epoch) { controller.Run(leading); });
//
// The decision is StepLease (lease_step.h), which is pure; the reads and writes are
// LeaseCandidate's; this is the threads around them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/lease_candidate.h"

namespace korder::kube {

class LeaderElector {
 public:
  using WhileLeading = std::function<void(std::stop_token leading, int64_t epoch)>;

  // Borrows client and clock. REQUIRES: Validate(options) is OK.
  LeaderElector(Client& client, const Clock& clock, LeaderElectionOptions options);

  // Until stop: waits for the lease, runs `lead` on a thread of its own while renewing, asks it to
  // stop when the lease is lost, waits for it, and begins anew. Also asks it to stop on `stop`, and
  // renews until it has ended; then releases the lease. When `lead` ends by itself, the lease is
  // released as well and applied for again after a retry period.
  // `epoch` is the Lease's leaseTransitions: larger for every later leader.
  void Run(std::stop_token stop, const WhileLeading& lead);

  // Thread-safe. False from the moment on at which the term has run out, though nobody may have
  // noticed yet.
  bool leading() const { return clock_.Mono() < leads_until_.load(std::memory_order_acquire); }

 private:
  void Lead(LeaseCandidate& candidate, std::stop_token stop, const WhileLeading& lead);
  void Tell(bool leading);

  Client& client_;
  const Clock& clock_;
  const LeaderElectionOptions options_;
  std::atomic<MonoTime> leads_until_ = MonoTime::min();
};

}  // namespace korder::kube
