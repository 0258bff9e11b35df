#include "kube/leader_elector.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status_macros.h"

namespace korder::kube {
namespace {

constexpr absl::Duration kReleaseTimeout = absl::Seconds(2);

// Waits until stop or for `delay`.
void Pause(std::stop_token stop, absl::Duration delay) {
  Mutex mu;
  CondVar cv;
  const MutexLock lock(mu);
  cv.WaitUntil(mu, std::move(stop),
               std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(delay),
               [] { return false; });
}

}  // namespace

absl::Status Validate(const LeaderElectionOptions& options) {
  if (options.name.empty() || options.identity.empty()) {
    return InvalidArgumentError("leader election needs the name of a lease and an identity");
  }
  if (options.retry_period <= absl::ZeroDuration() ||
      options.renew_deadline <= options.retry_period ||
      options.lease_duration <= options.renew_deadline) {
    return InvalidArgumentError(
        "leader election: lease duration > renew deadline > retry period > 0 must hold");
  }
  return absl::OkStatus();
}

// One process's part in the election: the view, and the writes that the step asks for.
class LeaderElector::Term {
 public:
  explicit Term(LeaderElector& elector) : elector_(elector) {
    view_.identity = elector.options_.identity;
  }

  // One look and at most one write. Returns whether we lead afterwards.
  bool Turn(std::stop_token stop) {
    Read(stop);
    const LeaderElectionOptions& options = elector_.options_;
    const MonoTime begin = elector_.clock_.Mono();
    const LeaseStepResult step =
        StepLease(view_, {options.lease_duration, options.renew_deadline, options.retry_period},
                  begin, elector_.clock_.Now());
    switch (step.action) {
      case LeaseAction::kWait:
        return false;
      case LeaseAction::kStepDown:
        view_.renewed_at.reset();
        return false;
      default:
        Write(step, begin, stop);
        return view_.renewed_at.has_value();
    }
  }

  int64_t epoch() const { return view_.lease ? view_.lease->spec.lease_transitions : 0; }

  // Lets a successor begin at once.
  void Release() {
    if (!view_.renewed_at || !view_.lease) {
      return;
    }
    api::Lease lease = *view_.lease;
    lease.spec.holder_identity.clear();
    elector_.client_.Update(lease, "", {.timeout = kReleaseTimeout}).IgnoreError();
    view_.renewed_at.reset();
  }

 private:
  ObjectKey Key() const { return {elector_.options_.ns, elector_.options_.name}; }
  CallOptions Call(std::stop_token stop) const {
    return {.timeout = elector_.options_.renew_deadline / 2, .stop = std::move(stop)};
  }

  void Read(std::stop_token stop) {
    // While leading, the answer of the last write is the newest there is: a write that lost tells.
    if (view_.renewed_at) {
      return;
    }
    absl::StatusOr<api::Lease> lease =
        elector_.client_.Get<api::Lease>(Key(), Call(std::move(stop)));
    if (lease.ok()) {
      See(*std::move(lease));
    } else if (absl::IsNotFound(lease.status())) {
      view_.lease.reset();
      reachable_ = true;
    } else {
      reachable_ = false;
      log::Debug("lease not read", {{"error", ToString(lease.status())}});
    }
  }

  void See(api::Lease lease) {
    reachable_ = true;
    if (!view_.lease || view_.lease->metadata.resource_version != lease.metadata.resource_version) {
      view_.changed_at = elector_.clock_.Mono();
    }
    view_.lease = std::move(lease);
  }

  void Write(const LeaseStepResult& step, MonoTime begin, std::stop_token stop) {
    if (!reachable_) {
      return;  // What we would write is based on what we could not read.
    }
    api::Lease lease = step.write;
    lease.metadata.ns = elector_.options_.ns;
    lease.metadata.name = elector_.options_.name;
    absl::StatusOr<api::Lease> written =
        step.action == LeaseAction::kCreate
            ? elector_.client_.Create(lease, Call(std::move(stop)))
            : elector_.client_.Update(lease, "", Call(std::move(stop)));
    if (written.ok()) {
      See(*std::move(written));
      view_.renewed_at = begin;
      return;
    }
    log::Info("lease not written", {{"error", ToString(written.status())}});
    if (absl::IsAborted(written.status()) || absl::IsNotFound(written.status())) {
      view_.renewed_at.reset();  // Somebody else wrote: look again before anything.
    }
  }

  LeaderElector& elector_;
  LeaseView view_;
  bool reachable_ = true;
};

LeaderElector::LeaderElector(Client& client, const Clock& clock, LeaderElectionOptions options)
    : client_(client), clock_(clock), options_(std::move(options)) {}

void LeaderElector::Run(std::stop_token stop, const WhileLeading& lead) {
  Term term(*this);
  while (!stop.stop_requested()) {
    if (!term.Turn(stop)) {
      Pause(stop, options_.retry_period);
      continue;
    }
    const int64_t epoch = term.epoch();
    log::Info("leading", {{"lease", options_.name}, {"epoch", epoch}});
    leading_.store(true, std::memory_order_release);
    client_.observer().Leading(options_.name, true);
    // Ends early when the leading work ends by itself.
    std::stop_source over;
    {
      std::jthread work([&](std::stop_token) {
        lead(over.get_token(), epoch);
        over.request_stop();
      });
      const std::stop_callback forward(stop, [&over] { over.request_stop(); });
      while (!over.stop_requested()) {
        Pause(over.get_token(), options_.retry_period);
        if (!over.stop_requested() && !term.Turn(over.get_token())) {
          log::Warn("lost the lease", {{"lease", options_.name}});
          over.request_stop();
        }
      }
    }
    leading_.store(false, std::memory_order_release);
    client_.observer().Leading(options_.name, false);
    term.Release();
  }
}

}  // namespace korder::kube
