#include "quota-svc/usage_changes.h"

#include <utility>

namespace korder::quota {

pb::WatchResponse UsageChanges::Since(const std::vector<QuotaUsage>& now) {
  pb::WatchResponse response;
  std::map<std::string, QuotaUsage> current;
  for (const QuotaUsage& usage : now) {
    const auto was = last_.find(usage.quota);
    if (was == last_.end() || was->second != usage) {
      *response.add_quotas() = Render(usage);
    }
    current.emplace(usage.quota, usage);
  }
  for (const auto& [name, usage] : last_) {
    if (!current.contains(name)) {
      response.add_deleted_quotas(name);
    }
  }
  last_ = std::move(current);
  return response;
}

}  // namespace korder::quota
