// What quotas say, as a table, JSON or YAML. Pure.
//
//   out << QuotaList(response, {.format = Format::kWide}, now);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cli/pb.h"
#include "cli/style.h"

namespace korder::json {
class Writer;
}

namespace korder::cli {

using Entries = google::protobuf::RepeatedPtrField<pb::QuotaUsage::Entry>;

// All of them, as `kubectl get quotas` would show them.
std::string QuotaList(const pb::QueryResponse& response, const Style& style, absl::Time now);
// One by itself: in JSON and YAML without a list around it.
std::string QuotaAlone(const pb::QuotaUsage& quota, const Style& style, absl::Time now);

// The object that stands for a quota in JSON.
void WriteQuota(json::Writer& w, const pb::QuotaUsage& quota);

// used / hard as exact amounts: 1 when a limit of nothing is reached, 0 for max-duration.
double UseRatio(const pb::QuotaUsage::Entry& entry);

// The order in which people read them: orders, tickets, cpu, memory, others by name, max-duration.
std::vector<const pb::QuotaUsage::Entry*> InReadingOrder(const Entries& entries);

}  // namespace korder::cli
