// What changed between two looks at the quotas: the messages of the Watch stream.
//
//   UsageChanges changes;
//   pb::WatchResponse first = changes.Since({...});   // everything
//   pb::WatchResponse next = changes.Since({...});    // what differs, and what is gone
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota-svc/ledger_messages.h"
#include "quota-svc/quota_book.h"

namespace korder::quota {

// Not thread-safe.
class UsageChanges {
 public:
  // Without quotas and deleted_quotas when nothing changed since the last call.
  pb::WatchResponse Since(const std::vector<QuotaUsage>& now);

 private:
  std::map<std::string, QuotaUsage> last_;
};

}  // namespace korder::quota
