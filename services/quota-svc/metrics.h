// Metrics of quota-svc beside those of libs/runtime.
//
//   Metrics metrics(runtime_metrics.registry());
//   metrics.Decision("denied", "tickets", took);
//   metrics.SetQuota(usage);
//
// korder_quota_decisions_total{result,reason}, korder_quota_decision_duration_seconds,
// korder_quota_usage_ratio and korder_quota_limits{quota_name,resource_type},
// korder_reserved_resources{namespace,resource_type,unit}, korder_quota_pending_grants,
// korder_quota_ledger_damaged_total.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "quota-svc/claim.h"
#include "quota-svc/quota_book.h"

namespace prometheus {
class Registry;
}

namespace korder::quota {

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  // result: "granted" (reason ""), "denied" (reason: kind of limit), "error" (reason: status code).
  void Decision(std::string_view result, std::string_view reason);
  // From the call to its durable answer.
  void DecisionTook(absl::Duration took);
  void LedgerDamaged();

  // Replaces what was said of this quota before.
  void SetQuota(const QuotaUsage& usage);
  void ForgetQuota(const std::string& quota);
  void SetReserved(const std::map<std::string, Amounts>& used_by_namespace);
  void SetPendingGrants(size_t count);
  // This process does not lead any more: it knows nothing of quotas.
  void ForgetAll();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "tickets", "orders", "max-duration", or "reserved" for every reserved.<resource>.
std::string_view KindOfLimit(std::string_view key);

}  // namespace korder::quota
