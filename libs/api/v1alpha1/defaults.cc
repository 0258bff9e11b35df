#include "api/v1alpha1/defaults.h"

#include "api/core/pod_requests.h"
#include "api/v1alpha1/names.h"

namespace korder::api {

ResourceList EffectiveRequests(const TicketSpec& spec) { return RequestsOrLimits(spec.resources); }

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
