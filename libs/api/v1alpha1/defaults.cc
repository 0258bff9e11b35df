#include "api/v1alpha1/defaults.h"

#include "api/core/pod_requests.h"
#include "api/core/resources_validation.h"
#include "api/v1alpha1/names.h"

namespace korder::api {

ResourceList EffectiveRequests(const TicketSpec& spec) { return RequestsOrLimits(spec.resources); }

ResourceList EffectiveLimits(const TicketSpec& spec) {
  ResourceList limits = spec.resources.limits;
  for (const auto& [name, amount] : spec.resources.requests) {
    if (NeedsEqualLimit(name)) {
      limits.try_emplace(name, amount);
    }
  }
  return limits;
}

LabelSelector EffectiveSelector(const Order& order) {
  if (order.spec.selector.has_value()) {
    return *order.spec.selector;
  }
  LabelSelector selector;
  selector.match_labels[std::string(kLabelOrder)] = order.metadata.name;
  return selector;
}

absl::Duration EffectiveDuration(const QuotaTimeWindow& window) {
  return window.duration.has_value() ? window.duration->value() : kDefaultQuotaWindow;
}

}  // namespace korder::api
