#include "api/v1alpha1/warnings.h"

#include "absl/strings/str_cat.h"
#include "api/value/field_error.h"

namespace korder::api {
namespace {

// What only means something for tickets that begin at a time.
void WarnOfOneTime(const OrderStrategy& strategy, std::vector<std::string>& warnings) {
  if (strategy.type != StrategyType::kOneTime) {
    return;
  }
  const auto unused = [&](std::string_view field, const std::string& value) {
    warnings.push_back(Render({absl::StrCat("spec.strategy.", std::string(field)), value,
                               "has no effect with type OneTime, which has no occurrences"}));
  };
  if (strategy.lead_time) {
    unused("leadTime", strategy.lead_time->text());
  }
  if (strategy.starting_deadline) {
    unused("startingDeadline", strategy.starting_deadline->text());
  }
  for (size_t i = 0; i < strategy.skip.size(); ++i) {
    unused(absl::StrCat("skip[", i, "]"), strategy.skip[i]);
  }
}

}  // namespace

std::vector<std::string> Warnings(const Order& order) {
  std::vector<std::string> warnings;
  const OrderSpec& spec = order.spec;
  if (spec.daemon_set && spec.replicas != OrderSpec{}.replicas) {
    warnings.push_back(Render({"spec.replicas", absl::StrCat(spec.replicas),
                               "has no effect with daemonSet, which has one ticket per node"}));
  }
  WarnOfOneTime(spec.strategy, warnings);
  const auto& duration = spec.ticket_template.spec.duration;
  if (duration && absl::Seconds(spec.min_ready_seconds) >= duration->value()) {
    warnings.push_back(
        Render({"spec.minReadySeconds", absl::StrCat(spec.min_ready_seconds),
                absl::StrCat("no ticket ever becomes available, because none lasts longer than ",
                             duration->text())}));
  }
  return warnings;
}

std::vector<std::string> Warnings(const ClaimPolicy& policy) {
  const ClaimPolicySpec& spec = policy.spec;
  if (spec.fallback == ClaimFallback::kSchedule ||
      spec.claim_timeout == ClaimPolicySpec{}.claim_timeout) {
    return {};
  }
  return {Render({"spec.claimTimeout", spec.claim_timeout.text(),
                  "has no effect with fallback Wait or Deny: such pods wait as long as it takes"})};
}

}  // namespace korder::api
