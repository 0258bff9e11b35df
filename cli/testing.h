// Messages of quota-svc for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/pb.h"

namespace korder::cli {

inline const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 5, 4, 14, 48, 0), absl::UTCTimeZone());

inline void SetTime(absl::Time time, google::protobuf::Timestamp* to) {
  to->set_seconds(absl::ToUnixSeconds(time));
}

inline void AddEntry(google::protobuf::RepeatedPtrField<pb::QuotaUsage::Entry>* entries,
                     const std::string& resource, const std::string& used, const std::string& hard,
                     const std::string& available = "") {
  pb::QuotaUsage::Entry& entry = *entries->Add();
  entry.set_resource(resource);
  entry.set_used(used);
  entry.set_hard(hard);
  entry.set_available(available);
}

// The seed's team-quota, as the server tells it: by resource.
inline pb::QuotaUsage TeamQuota() {
  pb::QuotaUsage quota;
  quota.set_quota("team-quota");
  quota.set_scope("NamespaceSelector");
  quota.set_generation(3);
  AddEntry(quota.mutable_entries(), "max-duration", "", "24h");
  AddEntry(quota.mutable_entries(), "orders", "3", "10", "7");
  AddEntry(quota.mutable_entries(), "reserved.cpu", "18", "20", "2");
  AddEntry(quota.mutable_entries(), "reserved.memory", "10Gi", "40Gi", "30Gi");
  AddEntry(quota.mutable_entries(), "tickets", "36", "50", "14");
  return quota;
}

// One with everything there can be.
inline pb::QuotaUsage GpuQuota() {
  pb::QuotaUsage quota;
  quota.set_quota("gpu");
  quota.set_scope("Cluster");
  quota.set_active_time_window("business-hours");
  SetTime(kNow + absl::Hours(3) + absl::Minutes(12), quota.mutable_next_transition_time());
  quota.set_generation(1);
  AddEntry(quota.mutable_entries(), "reserved.nvidia.com/gpu", "9", "8", "0");
  AddEntry(quota.mutable_entries(), "tickets", "0", "4", "4");
  pb::QuotaUsage::Allocation& allocation = *quota.add_allocations();
  allocation.set_namespace_("ml");
  AddEntry(allocation.mutable_entries(), "tickets", "1", "200", "199");
  return quota;
}

inline pb::QueryResponse Response(const std::vector<pb::QuotaUsage>& quotas) {
  pb::QueryResponse response;
  response.set_epoch(7);
  for (const pb::QuotaUsage& quota : quotas) {
    *response.add_quotas() = quota;
  }
  return response;
}

}  // namespace korder::cli
