// One process's part in a leader election, without a thread of its own: reads and writes the Lease
// as StepLease says.
//
//   LeaseCandidate candidate(client, clock, options);
//   candidate.Turn(stop);
//   if (candidate.leading()) { ... epoch() ... }
//   ... again at candidate.NextTurn() ...
//   candidate.Release();
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
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
  // Where one process ends before the next begins: the UID of its pod. Whoever finds the Lease held
  // from its own place takes it when `settle_time` has passed. Empty: nobody knows.
  std::string place;
  absl::Duration lease_duration = absl::Seconds(6);
  absl::Duration renew_deadline = absl::Seconds(4);
  absl::Duration retry_period = absl::Seconds(1);
  // As long as a server may take for a request whose sender is gone. Zero for whom nothing can
  // happen by such a request.
  absl::Duration settle_time = absl::Seconds(1);
};

// INVALID_ARGUMENT when the timings contradict each other (lease > renew deadline > retry > 0), or
// the place is none.
absl::Status Validate(const LeaderElectionOptions& options);

class LeaseCandidate {
 public:
  // Borrows client and clock. REQUIRES: Validate(options) is OK.
  LeaseCandidate(Client& client, const Clock& clock, LeaderElectionOptions options);

  // One look at the Lease if one is needed, and one write at most. Ends in time for the holder to
  // step down: a call never outlasts the term.
  void Turn(std::stop_token stop);
  // Lets a successor begin at once, if we hold the Lease. Takes two seconds at most.
  void Release();

  bool leading() const;
  // When we stop leading unless a renewal succeeds. REQUIRES: leading().
  MonoTime LeadsUntil() const;
  // The Lease's leaseTransitions: larger for every later leader. REQUIRES: leading().
  int64_t epoch() const { return view_.lease->spec.lease_transitions; }
  MonoTime NextTurn() const;

 private:
  ObjectKey Key() const { return {options_.ns, options_.name}; }
  CallOptions Call(std::stop_token stop) const;
  void See(std::optional<api::Lease> lease);
  // False when the Lease's state could not be learned.
  bool Read(const CallOptions& call);
  void Write(const LeaseStepResult& step, MonoTime began_at, std::stop_token stop);

  Client& client_;
  const Clock& clock_;
  const LeaderElectionOptions options_;
  const LeaseTiming timing_;
  LeaseView view_;
  bool must_read_ = true;  // what view_ says of the Lease is not certain to be the newest
};

}  // namespace korder::kube
