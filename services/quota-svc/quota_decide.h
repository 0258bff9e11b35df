// What a Quota's status has to say. Reads the Quota and the ledger's sums; never touches anything.
//
//   const QuotaPlan plan = DecideQuota({quota, usage}, now);
//   if (plan.status) { ... write it ... }
//
// Deciding on the status that the plan says yields no status to write. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/quota.h"
#include "quota-svc/quota_book.h"

namespace korder::quota {

// Reasons of conditions that only quota-svc knows.
inline constexpr std::string_view kReasonLedgerLost = "LedgerLost";

struct ObservedQuota {
  api::Quota quota;
  QuotaUsage usage;  // of the same generation
  // An older quota of type Cluster; empty when there is none.
  std::string older_cluster_quota;
  // Set while nothing new is granted, because the ledger object was lost.
  std::optional<absl::Time> closed_until;
};

struct QuotaEvent {
  bool warning = false;
  std::string reason;
  std::string message;
  bool operator==(const QuotaEvent&) const = default;
};

struct QuotaPlan {
  std::optional<api::QuotaStatus> status;  // absent: it says so already
  std::vector<QuotaEvent> events;          // after the status was written
  std::optional<absl::Duration> requeue_after;
};

QuotaPlan DecideQuota(const ObservedQuota& observed, absl::Time now);

}  // namespace korder::quota
