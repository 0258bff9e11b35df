// What admission-svc's leader does for ClaimPolicies: the webhooks that bring their pods to korder,
// and the status of each policy. Reads stores; writes the webhook configuration korder-pods,
// claimpolicies/status, and events.
//
//   EntryReconciler entries(client, stores, "korder-system");   // its one key is kEntriesKey
//   PolicyReconciler statuses(client, stores, events, clock);   // a key per policy
#pragma once

#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "admission-svc/policy_stores.h"
#include "api/v1alpha1/claim_policy.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"

namespace korder::admission {

// Thread-safe.
class EntryReconciler final : public kube::Reconciler {
 public:
  // Borrows the client and the stores. `ns` is korder's own namespace.
  EntryReconciler(kube::Client& client, PolicyStores stores, std::string ns)
      : client_(client), stores_(stores), ns_(std::move(ns)) {}

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  kube::Client& client_;
  const PolicyStores stores_;
  const std::string ns_;
};

// Writes a status at most once per second and policy. Thread-safe; the controller never calls it
// for one key at the same time.
class PolicyReconciler final : public kube::Reconciler {
 public:
  // Borrows everything.
  PolicyReconciler(kube::Client& client, PolicyStores stores, kube::EventRecorder& events,
                   const Clock& clock)
      : client_(client), stores_(stores), events_(events), clock_(clock) {}

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  Coverage CoverageNow(const api::ClaimPolicy& policy) const;
  // How long a write has to wait, so that a storm of pods costs few.
  absl::Duration WriteDelay(const kube::ObjectKey& key);
  absl::Status Write(const api::ClaimPolicy& policy, api::ClaimPolicyStatus status,
                     std::stop_token stop);

  kube::Client& client_;
  const PolicyStores stores_;
  kube::EventRecorder& events_;
  const Clock& clock_;

  Mutex mu_;
  absl::flat_hash_map<kube::ObjectKey, MonoTime> written_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::admission
