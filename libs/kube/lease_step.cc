#include "kube/lease_step.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace korder::kube {
namespace {

bool HeldByUs(const LeaseView& view) {
  return view.lease && !view.deleted && view.lease->spec.holder_identity == view.identity;
}

// Held by a process that has ended, because we run where it ran. Only who was the holder before we
// began can be that: should two processes be told the same place by mistake, they do not take the
// Lease from each other again and again. REQUIRES: view.lease.
bool HeldByPredecessor(const LeaseView& view) {
  const std::string& holder = view.lease->spec.holder_identity;
  return !view.place.empty() && holder != view.identity && holder == view.first_holder &&
         holder.ends_with(IdentityIn(view.place, ""));
}

// When the Lease is free unless it changes before. REQUIRES: view.lease.
MonoTime FreeAt(const LeaseView& view, const LeaseTiming& timing) {
  const api::LeaseSpec& spec = view.lease->spec;
  if (spec.holder_identity.empty()) {
    return view.changed_at;
  }
  if (HeldByPredecessor(view)) {
    return view.changed_at + absl::ToChronoNanoseconds(timing.settle_time);
  }
  // What the holder promised counts, not what we would promise: replicas may differ in settings.
  const absl::Duration term = spec.lease_duration_seconds
                                  ? absl::Seconds(*spec.lease_duration_seconds)
                                  : timing.lease_duration;
  return view.changed_at + absl::ToChronoNanoseconds(term);
}

MonoTime LeadUntil(const LeaseView& view, const LeaseTiming& timing) {
  return *view.renewed_at + absl::ToChronoNanoseconds(timing.renew_deadline);
}

// The Lease as ours, in the term that runs.
api::Lease Claim(const LeaseView& view, const LeaseTiming& timing, absl::Time wall) {
  api::Lease lease = view.lease.value_or(api::Lease());
  if (view.deleted) {
    lease.metadata = api::ObjectMeta();  // Only the epoch lives on.
  }
  lease.spec.holder_identity = view.identity;
  lease.spec.lease_duration_seconds = static_cast<int32_t>(
      absl::ToInt64Seconds(absl::Ceil(timing.lease_duration, absl::Seconds(1))));
  lease.spec.renew_time = api::MicroTime{wall};
  return lease;
}

api::Lease ClaimNextTerm(const LeaseView& view, const LeaseTiming& timing, absl::Time wall) {
  api::Lease lease = Claim(view, timing, wall);
  lease.spec.acquire_time = api::MicroTime{wall};
  ++lease.spec.lease_transitions;
  return lease;
}

}  // namespace

std::string IdentityIn(std::string_view place, std::string_view process) {
  return place.empty() ? std::string(process)
                       : absl::StrCat(std::string(process), "_", std::string(place));
}

void SeeLease(LeaseView& view, std::optional<api::Lease> lease, MonoTime now) {
  if (!view.first_holder) {
    view.first_holder = lease ? lease->spec.holder_identity : "";
  }
  const bool was_there = view.lease && !view.deleted;
  const bool changed = lease ? !was_there || lease->metadata.resource_version !=
                                                 view.lease->metadata.resource_version
                             : was_there;
  if (changed) {
    view.changed_at = now;
  }
  view.deleted = !lease && view.lease;
  if (lease) {
    view.lease = std::move(lease);
  }
  // The whole spec, not just the holder: should two processes share an identity by mistake, one
  // must not take the other's write for its own.
  if (view.unresolved && HeldByUs(view) && view.lease->spec == view.unresolved->spec) {
    view.renewed_at = view.unresolved->began_at;
  }
  view.unresolved.reset();
}

bool Leads(const LeaseView& view, const LeaseTiming& timing, MonoTime now) {
  return view.renewed_at && HeldByUs(view) && now < LeadUntil(view, timing);
}

LeaseStepResult StepLease(const LeaseView& view, const LeaseTiming& timing, MonoTime now,
                          absl::Time wall) {
  if (view.renewed_at) {
    return Leads(view, timing, now)
               ? LeaseStepResult{LeaseAction::kRenew, Claim(view, timing, wall)}
               : LeaseStepResult{LeaseAction::kStepDown, {}};
  }
  if (!view.lease) {
    return {LeaseAction::kCreate, ClaimNextTerm(view, timing, wall)};
  }
  if (now < FreeAt(view, timing)) {
    return {LeaseAction::kWait, {}};
  }
  return {view.deleted ? LeaseAction::kCreate : LeaseAction::kTake,
          ClaimNextTerm(view, timing, wall)};
}

MonoTime NextLeaseStep(const LeaseView& view, const LeaseTiming& timing, MonoTime now) {
  const MonoTime next = now + absl::ToChronoNanoseconds(timing.retry_period);
  if (view.renewed_at) {
    return std::min(next, LeadUntil(view, timing));
  }
  // A Lease that is free now was tried for in vain: not at once again.
  if (view.lease && now < FreeAt(view, timing)) {
    return std::min(next, FreeAt(view, timing));
  }
  return next;
}

}  // namespace korder::kube
