// The decision of leader election, without I/O. Only the times at which we ourselves saw the Lease
// change count; times written by others are never compared with our clock.
//
//   const LeaseView view{.lease = lease, .changed_at = when_we_saw_it_change, .renewed_at = ...};
//   switch (StepLease(view, options, now).action) { ... }
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "api/core/lease.h"
#include "base/mono_time.h"

namespace korder::kube {

struct LeaseTiming {
  absl::Duration lease_duration;
  absl::Duration renew_deadline;
  absl::Duration retry_period;
};

struct LeaseView {
  std::string identity;             // ours
  std::optional<api::Lease> lease;  // as last read; absent when there is none
  MonoTime changed_at;              // when we first saw this resourceVersion
  std::optional<MonoTime>
      renewed_at;  // when our last successful write began; absent when not leading
};

enum class LeaseAction {
  kCreate,    // there is no Lease: make it ours
  kTake,      // nobody holds it any more: make it ours, with the next epoch
  kRenew,     // it is ours: say so again
  kWait,      // somebody else holds it
  kStepDown,  // it was ours, and is not any more or could not be renewed in time
};

struct LeaseStepResult {
  LeaseAction action;
  // The Lease to write for kCreate, kTake and kRenew.
  api::Lease write;
  bool operator==(const LeaseStepResult&) const = default;
};

// `wall` is only what is written into the Lease for people to read.
LeaseStepResult StepLease(const LeaseView& view, const LeaseTiming& timing, MonoTime now,
                          absl::Time wall);

}  // namespace korder::kube
