#include "admission-svc/policy_reconciler.h"

#include <algorithm>
#include <utility>

#include "admission-svc/certificate_keeper.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace korder::admission {
namespace {

constexpr absl::Duration kWritePeriod = absl::Seconds(1);
constexpr absl::Duration kCallTimeout = absl::Seconds(5);

const api::Condition* ReadyIn(const api::ClaimPolicyStatus& status) {
  return api::FindCondition(status.conditions, api::kConditionReady);
}

bool IsInvalid(const api::ClaimPolicyStatus& status) {
  const api::Condition* ready = ReadyIn(status);
  return ready != nullptr && ready->reason == api::kReasonInvalidSpec;
}

}  // namespace

absl::StatusOr<kube::Result> EntryReconciler::Reconcile(const kube::ObjectKey& key,
                                                        std::stop_token stop) {
  const auto configuration = stores_.configurations.Get(key);
  if (configuration == nullptr) {
    return kube::Result::Done();  // installed without webhooks, or taken away: we are told
  }
  std::string patch = DecideEntries(*configuration, stores_.policies.List(), ns_);
  if (patch.empty()) {
    return kube::Result::Done();
  }
  const absl::Status status = client_
                                  .Patch<api::MutatingWebhookConfiguration>(
                                      key, {.type = kube::PatchType::kJson}, std::move(patch),
                                      {.timeout = kCallTimeout, .stop = std::move(stop)})
                                  .status();
  if (absl::IsNotFound(status)) {
    return kube::Result::Done();
  }
  RETURN_IF_ERROR(status);
  log::Info("webhooks for claim policies written", {{"configuration", key.name}});
  return kube::Result::Done();
}

absl::StatusOr<kube::Result> PolicyReconciler::Reconcile(const kube::ObjectKey& key,
                                                         std::stop_token stop) {
  const auto policy = stores_.policies.Get(key);
  if (policy == nullptr) {
    const MutexLock lock(mu_);
    written_.erase(key);
    return kube::Result::Done();
  }
  auto pods = stores_.pods.ByIndex(kByPolicy, key.name);
  std::erase_if(pods, [&key](const auto& pod) { return pod->metadata.ns != key.ns; });
  std::optional<api::ClaimPolicyStatus> status =
      DecidePolicyStatus({*policy, CountPods(pods), CoverageNow(*policy),
                          stores_.policies.ByIndex(kByNamespace, key.ns)},
                         clock_.Now());
  if (!status) {
    return kube::Result::Done();
  }
  if (const absl::Duration delay = WriteDelay(key); delay > absl::ZeroDuration()) {
    return kube::Result::After(delay);
  }
  RETURN_IF_ERROR(Write(*policy, *std::move(status), std::move(stop)));
  return kube::Result::Done();
}

Coverage PolicyReconciler::CoverageNow(const api::ClaimPolicy& policy) const {
  const auto configuration = stores_.configurations.Get({"", kPodsConfiguration});
  return configuration == nullptr ? Coverage::kNoWebhook : CoverageOf(*configuration, policy);
}

absl::Duration PolicyReconciler::WriteDelay(const kube::ObjectKey& key) {
  const MutexLock lock(mu_);
  const auto last = written_.find(key);
  return last == written_.end()
             ? absl::ZeroDuration()
             : std::max(absl::ZeroDuration(),
                        kWritePeriod - absl::FromChrono(clock_.Mono() - last->second));
}

absl::Status PolicyReconciler::Write(const api::ClaimPolicy& policy, api::ClaimPolicyStatus status,
                                     std::stop_token stop) {
  {
    const MutexLock lock(mu_);
    written_[kube::KeyOf(policy)] = clock_.Mono();
  }
  api::ClaimPolicy written = policy;
  written.status = std::move(status);
  // Carries the resourceVersion that was read: a policy that changed since is decided on anew.
  const absl::Status done =
      client_.UpdateStatus(written, {.timeout = kCallTimeout, .stop = std::move(stop)}).status();
  if (absl::IsNotFound(done)) {
    return absl::OkStatus();  // deleted meanwhile
  }
  RETURN_IF_ERROR(done);
  if (IsInvalid(written.status) && !IsInvalid(policy.status)) {
    events_.Warning(kube::RefTo(policy), api::kEventInvalidSpec, ReadyIn(written.status)->message);
  }
  return absl::OkStatus();
}

}  // namespace korder::admission
