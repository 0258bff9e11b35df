// The decision of leader election, without I/O. Only the times at which we ourselves saw the Lease
// change count; times written by others are never compared with our clock.
//
//   SeeLease(view, lease_as_just_read, now);
//   const LeaseStepResult step = StepLease(view, timing, now, wall);
//   switch (step.action) { case LeaseAction::kTake: ... write step.write ... }
//
// Why there are never two holders: a holder counts from the moment before it sent its last good
// write and gives up after renew_deadline; everybody else counts from the moment after it saw that
// write's result and waits for lease_duration, which is longer. Every write is conditional on the
// version it was decided on, so of two that take a free Lease one fails.
//
// Who begins where the holder ran knows that the holder has ended, and does not wait for that: see
// docs/adr/0014.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/core/lease.h"
#include "base/mono_time.h"

namespace korder::kube {

struct LeaseTiming {
  absl::Duration lease_duration;
  absl::Duration renew_deadline;
  absl::Duration retry_period;
  // How long what a process had sent before it ended may still take effect.
  absl::Duration settle_time;
};

// What the Lease calls a process that runs in `place`: whoever runs there later can tell that this
// was a predecessor. A place is where one process ends before the next begins, as in one pod; "" is
// one that nobody knows. REQUIRES: no '_' in `place`.
std::string IdentityIn(std::string_view place, std::string_view process);

// A write that may or may not have happened.
struct LeaseAttempt {
  api::LeaseSpec spec;
  MonoTime began_at;
};

// What one process knows. Begins with the identity and the place alone.
struct LeaseView {
  std::string identity;                     // ours, and nobody else's: IdentityIn(place, ...)
  std::string place;                        // where we run, or ""
  std::optional<std::string> first_holder;  // when we looked first; absent before
  std::optional<api::Lease> lease;          // as last seen; absent when there never was one
  bool deleted = false;                     // `lease` has been deleted since
  MonoTime changed_at;                     // when we first saw this version, or that it was deleted
  std::optional<MonoTime> renewed_at;      // when our last good write began; absent: not leading
  std::optional<LeaseAttempt> unresolved;  // our last write, when its answer was lost
};

// Takes note of the Lease just read or returned by our write; nullopt when there is none. `now` is
// the time after the answer came. A write whose answer was lost shows here whether it happened.
void SeeLease(LeaseView& view, std::optional<api::Lease> lease, MonoTime now);

enum class LeaseAction {
  kCreate,    // there is no Lease: make it, and hold it
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

// Whether we may act as the holder.
bool Leads(const LeaseView& view, const LeaseTiming& timing, MonoTime now);

// When StepLease has something to do again.
MonoTime NextLeaseStep(const LeaseView& view, const LeaseTiming& timing, MonoTime now);

}  // namespace korder::kube
