// Keeps the status of each Quota equal to what the ledger knows. Reads the store and the ledger,
// writes quotas/status and events, at most once per second and quota.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "api/v1alpha1/quota.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "kube/store.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/metrics.h"
#include "quota-svc/quota_decide.h"

namespace korder::quota {

// Thread-safe; the controller never calls it for one key at the same time.
class Reconciler final : public kube::Reconciler {
 public:
  // Borrows everything.
  Reconciler(kube::Client& client, const kube::Store<api::Quota>& quotas, LedgerDesk& desk,
             kube::EventRecorder& events, Metrics& metrics, const Clock& clock);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  std::optional<ObservedQuota> Observe(const api::Quota& quota) const;
  std::string OlderClusterQuota(const api::Quota& quota) const;
  // How long a write has to wait, so that a storm of tickets costs few.
  absl::Duration WriteDelay(const std::string& quota);
  absl::Status Write(const ObservedQuota& observed, const QuotaPlan& plan, std::stop_token stop);

  kube::Client& client_;
  const kube::Store<api::Quota>& quotas_;
  LedgerDesk& desk_;
  kube::EventRecorder& events_;
  Metrics& metrics_;
  const Clock& clock_;

  Mutex mu_;
  absl::flat_hash_map<std::string, MonoTime> written_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::quota
