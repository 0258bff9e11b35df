#include "cli/check_result.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/quota.h"
#include "api/value/quantity.h"

namespace korder::cli {
namespace {

// What is asked for, by the keys of a quota's hard.
using Sums = std::map<std::string, api::Quantity, std::less<>>;

void Add(std::string key, const api::Quantity& amount, Sums& sums) {
  api::Quantity& sum = sums[std::move(key)];
  // Beyond what can be written down the sum stays where it is, far above every limit.
  sum = sum.Add(amount).value_or(sum);
}

void Add(const pb::CheckRequest& request, Sums& sums) {
  if (request.order()) {
    Add(std::string(api::kQuotaOrders), api::Quantity::FromInt(1), sums);
  }
  Add(std::string(api::kQuotaTickets), api::Quantity::FromInt(request.tickets()), sums);
  for (const auto& [resource, text] : request.claim().requests()) {
    const auto each = api::Quantity::Parse(text);
    const auto all = each.ok() ? each->MulRatio(request.tickets(), 1) : each;
    if (all.ok()) {
      Add(absl::StrCat(std::string(api::kQuotaReservedPrefix), resource), *all, sums);
    }
  }
}

void Compare(const std::string& quota, const Sums& sums,
             const google::protobuf::RepeatedPtrField<pb::QuotaUsage::Entry>& entries,
             std::vector<pb::Denied>& denials) {
  for (const pb::QuotaUsage::Entry& entry : entries) {
    const auto sum = sums.find(entry.resource());
    const auto left = api::Quantity::Parse(entry.available());
    if (sum == sums.end() || !left.ok() || sum->second <= *left) {
      continue;
    }
    pb::Denied denied;
    denied.set_quota(quota);
    denied.set_resource(entry.resource());
    denied.set_requested(sum->second.ToString());
    denied.set_used(entry.used());
    denied.set_limit(entry.hard());
    denied.set_message(absl::StrCat("quota ", quota, ": ", entry.resource(), ": requested ",
                                    denied.requested(), ", used ", entry.used(), " of ",
                                    entry.hard()));
    denials.push_back(std::move(denied));
  }
}

bool IsCounted(const CheckResult& result, const std::string& quota) {
  const auto& quotas = result.response.quotas();
  return std::find(quotas.begin(), quotas.end(), quota) != quotas.end();
}

}  // namespace

bool CheckResult::Fits() const {
  return response.denials().empty() && response.order_fits() &&
         response.fitting_tickets() >= item.request.tickets();
}

bool CheckReport::Fits() const {
  return together.empty() && std::all_of(results.begin(), results.end(),
                                         [](const CheckResult& result) { return result.Fits(); });
}

std::vector<pb::Denied> TogetherDenials(const std::vector<CheckResult>& results,
                                        const pb::QueryResponse& usage) {
  std::vector<pb::Denied> denials;
  if (results.size() < 2) {
    return denials;
  }
  for (const pb::QuotaUsage& quota : usage.quotas()) {
    Sums all;
    std::map<std::string, Sums> by_namespace;
    for (const CheckResult& result : results) {
      if (IsCounted(result, quota.quota())) {
        Add(result.item.request, all);
        Add(result.item.request, by_namespace[result.item.ns]);
      }
    }
    Compare(quota.quota(), all, quota.entries(), denials);
    for (const pb::QuotaUsage::Allocation& allocation : quota.allocations()) {
      Compare(absl::StrCat(quota.quota(), ", namespace ", allocation.namespace_()),
              by_namespace[allocation.namespace_()], allocation.entries(), denials);
    }
  }
  return denials;
}

}  // namespace korder::cli
