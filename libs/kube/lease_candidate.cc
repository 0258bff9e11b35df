#include "kube/lease_candidate.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace korder::kube {
namespace {

constexpr absl::Duration kReleaseTimeout = absl::Seconds(2);

}  // namespace

absl::Status Validate(const LeaderElectionOptions& options) {
  if (options.ns.empty() || options.name.empty() || options.identity.empty()) {
    return InvalidArgumentError(
        "leader election needs the namespace and name of a lease and an identity");
  }
  if (options.place.find('_') != std::string::npos) {
    return InvalidArgumentError("leader election: a place has no '_'");
  }
  if (options.settle_time < absl::ZeroDuration() || options.settle_time > options.lease_duration) {
    return InvalidArgumentError("leader election: lease duration >= settle time >= 0 must hold");
  }
  if (options.retry_period <= absl::ZeroDuration() ||
      options.renew_deadline <= options.retry_period ||
      options.lease_duration <= options.renew_deadline) {
    return InvalidArgumentError(
        "leader election: lease duration > renew deadline > retry period > 0 must hold");
  }
  return absl::OkStatus();
}

LeaseCandidate::LeaseCandidate(Client& client, const Clock& clock, LeaderElectionOptions options)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      timing_{options_.lease_duration, options_.renew_deadline, options_.retry_period,
              options_.settle_time},
      view_{.identity = IdentityIn(options_.place, options_.identity), .place = options_.place} {}

void LeaseCandidate::Turn(std::stop_token stop) {
  // While leading, the answer to our last write is the newest there is.
  const bool known = (leading() && !must_read_) || Read(Call(stop));
  const MonoTime now = clock_.Mono();
  const LeaseStepResult step = StepLease(view_, timing_, now, clock_.Now());
  switch (step.action) {
    case LeaseAction::kWait:
      return;
    case LeaseAction::kStepDown:
      // A renewal that did happen must not revive this term: the next one has an epoch of its own.
      view_.renewed_at.reset();
      view_.unresolved.reset();
      return;
    case LeaseAction::kCreate:
    case LeaseAction::kTake:
    case LeaseAction::kRenew:
      if (known) {
        Write(step, now, std::move(stop));
      }
      return;
  }
}

void LeaseCandidate::Release() {
  const MonoTime deadline = clock_.Mono() + absl::ToChronoNanoseconds(kReleaseTimeout);
  // Stopping may have cut off a write that made the Lease ours.
  if (view_.unresolved) {
    Read({.timeout = kReleaseTimeout / 2});
  }
  const bool ours = Leads(view_, timing_, clock_.Mono());
  view_.renewed_at.reset();
  view_.unresolved.reset();
  if (!ours) {
    return;
  }
  api::Lease lease = *view_.lease;
  lease.spec.holder_identity.clear();
  lease.spec.renew_time = api::MicroTime{clock_.Now()};
  const absl::Duration left = absl::FromChrono(deadline - clock_.Mono());
  absl::StatusOr<api::Lease> released = client_.Update(lease, "", {.timeout = left});
  must_read_ = true;
  if (released.ok()) {
    SeeLease(view_, *std::move(released), clock_.Mono());
  } else {
    log::Info("lease not released", {{"error", ToString(released.status())}});
  }
}

bool LeaseCandidate::leading() const { return Leads(view_, timing_, clock_.Mono()); }

MonoTime LeaseCandidate::LeadsUntil() const {
  return *view_.renewed_at + absl::ToChronoNanoseconds(timing_.renew_deadline);
}

MonoTime LeaseCandidate::NextTurn() const { return NextLeaseStep(view_, timing_, clock_.Mono()); }

CallOptions LeaseCandidate::Call(std::stop_token stop) const {
  // Half of it: one call that hangs leaves time for another.
  absl::Duration timeout = options_.renew_deadline / 2;
  if (view_.renewed_at) {
    const absl::Duration since = absl::FromChrono(clock_.Mono() - *view_.renewed_at);
    timeout = std::clamp(options_.renew_deadline - since, absl::Milliseconds(1), timeout);
  }
  return {.timeout = timeout, .stop = std::move(stop)};
}

void LeaseCandidate::See(std::optional<api::Lease> lease) {
  const MonoTime now = clock_.Mono();
  // A term that ran out while we waited for the answer stays over, even if its renewal did happen:
  // its work has stopped, and the next term has an epoch of its own.
  if (view_.renewed_at && !Leads(view_, timing_, now)) {
    view_.renewed_at.reset();
    view_.unresolved.reset();
  }
  SeeLease(view_, std::move(lease), now);
}

bool LeaseCandidate::Read(const CallOptions& call) {
  absl::StatusOr<api::Lease> lease = client_.Get<api::Lease>(Key(), call);
  if (lease.ok()) {
    See(*std::move(lease));
  } else if (absl::IsNotFound(lease.status())) {
    See(std::nullopt);
  } else {
    log::Debug("lease not read", {{"error", ToString(lease.status())}});
    return false;
  }
  must_read_ = false;
  return true;
}

void LeaseCandidate::Write(const LeaseStepResult& step, MonoTime began_at, std::stop_token stop) {
  api::Lease lease = step.write;
  lease.metadata.ns = options_.ns;
  lease.metadata.name = options_.name;
  const CallOptions call = Call(std::move(stop));
  absl::StatusOr<api::Lease> written = step.action == LeaseAction::kCreate
                                           ? client_.Create(lease, call)
                                           : client_.Update(lease, "", call);
  if (written.ok()) {
    const bool renewal = view_.renewed_at.has_value();
    See(*std::move(written));
    if (!renewal || view_.renewed_at) {
      view_.renewed_at = began_at;
    }
    return;
  }
  // It may have happened all the same: only reading tells.
  must_read_ = true;
  view_.unresolved = LeaseAttempt{lease.spec, began_at};
  log::Info("lease not written", {{"error", ToString(written.status())}});
}

}  // namespace korder::kube
