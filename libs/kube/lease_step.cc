#include "kube/lease_step.h"

namespace korder::kube {
namespace {

api::Lease Claim(const LeaseView& view, const LeaseTiming& timing, absl::Time wall, bool new_term) {
  api::Lease lease = view.lease.value_or(api::Lease());
  lease.spec.holder_identity = view.identity;
  lease.spec.lease_duration_seconds = static_cast<int32_t>(
      absl::ToInt64Seconds(absl::Ceil(timing.lease_duration, absl::Seconds(1))));
  lease.spec.renew_time = api::MicroTime{wall};
  if (new_term) {
    lease.spec.acquire_time = api::MicroTime{wall};
    ++lease.spec.lease_transitions;
  }
  return lease;
}

}  // namespace

LeaseStepResult StepLease(const LeaseView& view, const LeaseTiming& timing, MonoTime now,
                          absl::Time wall) {
  const bool held_by_us = view.lease && view.lease->spec.holder_identity == view.identity;
  if (view.renewed_at) {
    // Count from the beginning of the last good write: others count from seeing it, which is later.
    const absl::Duration since = absl::FromChrono(now - *view.renewed_at);
    if (!held_by_us || since >= timing.renew_deadline) {
      return {LeaseAction::kStepDown, {}};
    }
    return {LeaseAction::kRenew, Claim(view, timing, wall, false)};
  }
  if (!view.lease) {
    return {LeaseAction::kCreate, Claim(view, timing, wall, true)};
  }
  const absl::Duration unchanged = absl::FromChrono(now - view.changed_at);
  if (view.lease->spec.holder_identity.empty() || unchanged >= timing.lease_duration) {
    return {LeaseAction::kTake, Claim(view, timing, wall, true)};
  }
  return {LeaseAction::kWait, {}};
}

}  // namespace korder::kube
