#include "quota-svc/quota_terms.h"

#include "absl/strings/str_cat.h"
#include "api/value/duration.h"

namespace korder::quota {
namespace {

bool IsAmountKey(std::string_view key) {
  return key == api::kQuotaOrders || key == api::kQuotaTickets ||
         (key.starts_with(api::kQuotaReservedPrefix) &&
          key.size() > api::kQuotaReservedPrefix.size());
}

// One limit into `limits`; what is wrong with it otherwise.
std::string AddLimit(const std::string& key, const std::string& text, Limits& limits) {
  if (key == api::kQuotaMaxDuration) {
    const absl::StatusOr<absl::Duration> duration = api::ParseDuration(text);
    if (!duration.ok()) {
      return std::string(Message(duration.status()));
    }
    limits.max_duration = *duration;
    return "";
  }
  if (!IsAmountKey(key)) {
    return "is unknown; known are orders, tickets, reserved.<resource> and max-duration";
  }
  const absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(text);
  if (!quantity.ok()) {
    return std::string(Message(quantity.status()));
  }
  if (quantity->IsNegative()) {
    return "must be 0 or more";
  }
  limits.amounts[key] = *quantity;
  return "";
}

Limits CompileLimits(const api::QuotaLimits& written, const std::string& path,
                     std::vector<api::FieldError>& problems) {
  Limits limits;
  for (const auto& [key, value] : written) {
    std::string problem = AddLimit(key, value.text, limits);
    if (!problem.empty()) {
      problems.push_back({absl::StrCat(path, "[", key, "]"), value.text, std::move(problem)});
    }
  }
  return limits;
}

void CompileScope(const api::QuotaScope& scope, QuotaTerms& terms) {
  terms.scope = scope.type;
  terms.namespaces.insert(scope.namespaces.begin(), scope.namespaces.end());
  const bool objects = scope.type == api::ScopeType::kObjectSelector;
  const std::optional<api::LabelSelector>& selector =
      objects ? scope.object_selector : scope.namespace_selector;
  if (selector) {
    terms.selector = *selector;
  } else if (objects || scope.type == api::ScopeType::kNamespaceSelector) {
    terms.problems.push_back(
        {objects ? "spec.scope.objectSelector" : "spec.scope.namespaceSelector", "",
         "is required for this scope type; until it is set the quota covers everything"});
  }
}

void Scale(const api::Quantity& multiplier, Limits& limits) {
  for (auto& [key, limit] : limits.amounts) {
    const bool is_count = key == api::kQuotaOrders || key == api::kQuotaTickets;
    limit = Scaled(limit, multiplier, is_count);
  }
}

}  // namespace

QuotaTerms Compile(const api::Quota& quota) {
  QuotaTerms terms;
  terms.name = quota.metadata.name;
  terms.generation = quota.metadata.generation;
  CompileScope(quota.spec.scope, terms);
  terms.hard = CompileLimits(quota.spec.hard, "spec.hard", terms.problems);
  terms.windows = CompileWindows(quota.spec.time_windows, terms.problems);
  for (size_t i = 0; i < quota.spec.allocation.size(); ++i) {
    const api::QuotaAllocation& allocation = quota.spec.allocation[i];
    terms.allocation[allocation.ns] = CompileLimits(
        allocation.limits, absl::StrCat("spec.allocation[", i, "].limits"), terms.problems);
  }
  return terms;
}

bool SelectsObjects(const QuotaTerms& terms) {
  return terms.scope == api::ScopeType::kObjectSelector;
}

bool CoversNamespace(const QuotaTerms& terms, const std::string& ns, const api::Labels* labels) {
  switch (terms.scope) {
    case api::ScopeType::kCluster:
      return true;
    case api::ScopeType::kNamespaceList:
      return terms.namespaces.contains(ns);
    case api::ScopeType::kNamespaceSelector:
      return labels != nullptr && terms.selector.Matches(*labels);
    case api::ScopeType::kObjectSelector:
      return false;
  }
  return false;
}

LimitsInForce LimitsAt(const QuotaTerms& terms, absl::Time now) {
  LimitsInForce limits{
      .hard = terms.hard, .allocation = terms.allocation, .window = "", .next_transition = {}};
  const OpenWindow open = OpenAt(terms.windows, now);
  limits.next_transition = open.until;
  if (open.index) {
    const TimeWindow& window = terms.windows[*open.index];
    limits.window = window.name;
    Scale(window.multiplier, limits.hard);
    for (auto& [ns, cap] : limits.allocation) {
      Scale(window.multiplier, cap);
    }
  }
  return limits;
}

}  // namespace korder::quota
