#include "quota-svc/reconciler.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/status_macros.h"

namespace korder::quota {
namespace {

constexpr absl::Duration kWritePeriod = absl::Seconds(1);

bool IsOlder(const api::Quota& a, const api::Quota& b) {
  const auto age = [](const api::Quota& quota) {
    return std::tuple(quota.metadata.creation_timestamp.value_or(absl::InfiniteFuture()),
                      std::string_view(quota.metadata.name));
  };
  return age(a) < age(b);
}

}  // namespace

Reconciler::Reconciler(kube::Client& client, const kube::Store<api::Quota>& quotas,
                       LedgerDesk& desk, kube::EventRecorder& events, Metrics& metrics,
                       const Clock& clock)
    : client_(client),
      quotas_(quotas),
      desk_(desk),
      events_(events),
      metrics_(metrics),
      clock_(clock) {}

absl::StatusOr<kube::Result> Reconciler::Reconcile(const kube::ObjectKey& key,
                                                   std::stop_token stop) {
  const auto quota = quotas_.Get(key);
  if (quota == nullptr) {
    metrics_.ForgetQuota(key.name);
    const MutexLock lock(mu_);
    written_.erase(key.name);
    return kube::Result::Done();
  }
  // Without a decision nobody else puts the limits of a new time window in force.
  const absl::Time now = clock_.Now();
  desk_.Observe([now](Ledger& ledger) { ledger.Advance(now); });
  const std::optional<ObservedQuota> observed = Observe(*quota);
  if (!observed) {
    return kube::Result::Done();  // once the ledger has it, we are called again
  }
  metrics_.SetQuota(observed->usage);
  const QuotaPlan plan = DecideQuota(*observed, now);
  if (plan.status) {
    if (const absl::Duration delay = WriteDelay(key.name); delay > absl::ZeroDuration()) {
      return kube::Result::After(delay);
    }
    RETURN_IF_ERROR(Write(*observed, plan, std::move(stop)));
  }
  return kube::Result::From(plan.requeue_after);
}

std::optional<ObservedQuota> Reconciler::Observe(const api::Quota& quota) const {
  ObservedQuota observed{.quota = quota,
                         .usage = {},
                         .older_cluster_quota = OlderClusterQuota(quota),
                         .closed_until = {}};
  const bool known = desk_.Look(false, [&](const Ledger& ledger) {
    std::optional<QuotaUsage> usage = ledger.book().Usage(quota.metadata.name);
    if (!usage || usage->generation != quota.metadata.generation) {
      return false;
    }
    observed.usage = *std::move(usage);
    observed.closed_until = ledger.closed_until();
    return true;
  });
  return known ? std::optional(std::move(observed)) : std::nullopt;
}

std::string Reconciler::OlderClusterQuota(const api::Quota& quota) const {
  if (quota.spec.scope.type != api::ScopeType::kCluster) {
    return "";
  }
  for (const auto& other : quotas_.List()) {
    if (other->spec.scope.type == api::ScopeType::kCluster && IsOlder(*other, quota)) {
      return other->metadata.name;
    }
  }
  return "";
}

absl::Duration Reconciler::WriteDelay(const std::string& quota) {
  const MutexLock lock(mu_);
  const auto last = written_.find(quota);
  return last == written_.end()
             ? absl::ZeroDuration()
             : std::max(absl::ZeroDuration(),
                        kWritePeriod - absl::FromChrono(clock_.Mono() - last->second));
}

absl::Status Reconciler::Write(const ObservedQuota& observed, const QuotaPlan& plan,
                               std::stop_token stop) {
  {
    const MutexLock lock(mu_);
    written_[observed.quota.metadata.name] = clock_.Mono();
  }
  api::Quota quota = observed.quota;
  quota.status = *plan.status;
  // Carries the resourceVersion that was read: a quota that changed since is decided on anew.
  const absl::StatusOr<api::Quota> written = client_.UpdateStatus(quota, {.stop = std::move(stop)});
  if (absl::IsNotFound(written.status())) {
    return absl::OkStatus();  // deleted meanwhile
  }
  RETURN_IF_ERROR(written.status());
  for (const QuotaEvent& event : plan.events) {
    const api::ObjectReference about = kube::RefTo(quota);
    event.warning ? events_.Warning(about, event.reason, event.message)
                  : events_.Normal(about, event.reason, event.message);
  }
  return absl::OkStatus();
}

}  // namespace korder::quota
