#include "quota-svc/quota_decide.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"

namespace korder::quota {
namespace {

using api::ConditionStatus;
using api::Quantity;

Quantity UsedOf(const Amounts& used, const std::string& key, const Quantity& limit) {
  const auto it = used.find(key);
  return Quantity::FromNanos(it == used.end() ? 0 : it->second.nanos(), limit.format());
}

api::QuotaAmounts HardTexts(const Limits& limits) {
  api::QuotaAmounts texts;
  for (const auto& [key, limit] : limits.amounts) {
    texts[key] = limit.ToString();
  }
  if (limits.max_duration) {
    texts[std::string(api::kQuotaMaxDuration)] = DurationText(*limits.max_duration);
  }
  return texts;
}

// In the format of the limits, so that both read alike.
api::QuotaAmounts UsedTexts(const Limits& limits, const Amounts& used) {
  api::QuotaAmounts texts;
  for (const auto& [key, limit] : limits.amounts) {
    texts[key] = UsedOf(used, key, limit).ToString();
  }
  return texts;
}

api::QuotaAmounts AvailableTexts(const Limits& limits, const Amounts& used) {
  api::QuotaAmounts texts;
  for (const auto& [key, limit] : limits.amounts) {
    const auto left = limit.nanos() - UsedOf(used, key, limit).nanos();
    texts[key] = Quantity::FromNanos(std::max<Quantity::Nanos>(left, 0), limit.format()).ToString();
  }
  return texts;
}

// "used/hard", or "" when there is no such limit.
std::string Summary(const api::QuotaStatus& status, std::string_view key) {
  const auto hard = status.hard.find(key);
  return hard == status.hard.end() ? ""
                                   : absl::StrCat(status.used.find(key)->second, "/", hard->second);
}

// What is over its limit, in words; empty when nothing is.
std::string Excess(const Limits& limits, const Amounts& used, const std::string& where) {
  std::string text;
  for (const auto& [key, limit] : limits.amounts) {
    if (const Quantity amount = UsedOf(used, key, limit); amount > limit) {
      absl::StrAppend(&text, text.empty() ? "" : "; ", where, key, ": used ", amount.ToString(),
                      " of ", limit.ToString());
    }
  }
  return text;
}

std::string AllExcess(const QuotaUsage& usage) {
  std::string text = Excess(usage.limits.hard, usage.used, "");
  for (const auto& [ns, limits] : usage.limits.allocation) {
    const auto used = usage.used_in.find(ns);
    const std::string more =
        used == usage.used_in.end()
            ? ""
            : Excess(limits, used->second, absl::StrCat("namespace ", ns, ": "));
    absl::StrAppend(&text, text.empty() || more.empty() ? "" : "; ", more);
  }
  return text;
}

// --- conditions ---

api::Condition Make(std::string_view type, bool holds, std::string_view reason,
                    std::string message) {
  return {.type = std::string(type),
          .status = holds ? ConditionStatus::kTrue : ConditionStatus::kFalse,
          .observed_generation = 0,
          .last_transition_time = absl::UnixEpoch(),
          .reason = std::string(reason),
          .message = std::move(message)};
}

api::Condition Enforced(const QuotaUsage& usage) {
  if (!usage.problems.empty()) {
    return Make(api::kConditionEnforced, false, api::kReasonInvalidSpec,
                absl::StrCat(api::JoinErrors(usage.problems), "; the rest is enforced"));
  }
  return Make(api::kConditionEnforced, true, api::kReasonInForce, "all limits are enforced");
}

api::Condition Exceeded(const QuotaUsage& usage) {
  std::string excess = AllExcess(usage);
  return excess.empty()
             ? Make(api::kConditionExceeded, false, api::kReasonWithinLimit,
                    "use is within every limit")
             : Make(api::kConditionExceeded, true, api::kReasonOverLimit,
                    absl::StrCat(excess, "; nothing is revoked, nothing new is granted"));
}

api::Condition Ready(const ObservedQuota& observed, const api::Condition& enforced,
                     absl::Time now) {
  if (enforced.status != ConditionStatus::kTrue) {
    return Make(api::kConditionReady, false, enforced.reason, enforced.message);
  }
  if (!observed.older_cluster_quota.empty()) {
    return Make(api::kConditionReady, false, api::kReasonConflict,
                absl::StrCat("there is a quota of type Cluster already: ",
                             observed.older_cluster_quota, "; both are enforced"));
  }
  if (observed.closed_until && now < *observed.closed_until) {
    return Make(
        api::kConditionReady, false, kReasonLedgerLost,
        "the ledger object was lost or damaged and is rebuilt from the tickets; nothing new "
        "is granted for a minute");
  }
  return Make(api::kConditionReady, true, api::kReasonAccepted, "the quota is in force");
}

api::QuotaStatus StatusOf(const ObservedQuota& observed, absl::Time now) {
  const QuotaUsage& usage = observed.usage;
  const Limits& hard = usage.limits.hard;
  api::QuotaStatus status;
  status.hard = HardTexts(hard);
  status.used = UsedTexts(hard, usage.used);
  status.available = AvailableTexts(hard, usage.used);
  for (const auto& [ns, limits] : usage.limits.allocation) {
    const auto used = usage.used_in.find(ns);
    status.allocations.push_back(
        {.ns = ns,
         .hard = HardTexts(limits),
         .used = UsedTexts(limits, used == usage.used_in.end() ? Amounts{} : used->second)});
  }
  status.active_time_window = usage.limits.window;
  status.next_transition_time = usage.limits.next_transition;
  status.summary = {.orders = Summary(status, api::kQuotaOrders),
                    .tickets = Summary(status, api::kQuotaTickets),
                    .cpu = Summary(status, "reserved.cpu"),
                    .memory = Summary(status, "reserved.memory")};
  status.observed_generation = observed.quota.metadata.generation;
  status.conditions = observed.quota.status.conditions;
  const api::Condition enforced = Enforced(usage);
  for (api::Condition condition : {Ready(observed, enforced, now), enforced, Exceeded(usage)}) {
    condition.observed_generation = status.observed_generation;
    api::SetCondition(status.conditions, std::move(condition), now);
  }
  return status;
}

std::string WindowText(const api::QuotaStatus& status) {
  std::string text =
      status.active_time_window.empty()
          ? "no time window is open; in force: "
          : absl::StrCat("time window ", status.active_time_window, " is open; in force: ");
  const char* separator = "";
  for (const auto& [key, limit] : status.hard) {
    absl::StrAppend(&text, separator, key, " ", limit);
    separator = ", ";
  }
  return text;
}

// Of changes only: what the status says already was told before.
std::vector<QuotaEvent> EventsOf(const api::QuotaStatus& was, const api::QuotaStatus& is) {
  std::vector<QuotaEvent> events;
  const api::Condition& exceeded = *api::FindCondition(is.conditions, api::kConditionExceeded);
  const bool before = api::IsConditionTrue(was.conditions, api::kConditionExceeded);
  const bool now = exceeded.status == ConditionStatus::kTrue;
  if (now != before) {
    events.push_back({now, std::string(now ? api::kEventQuotaExceeded : api::kEventQuotaRecovered),
                      exceeded.message});
  }
  if (was.observed_generation == is.observed_generation &&
      was.active_time_window != is.active_time_window) {
    events.push_back({false, std::string(api::kEventWindowChanged), WindowText(is)});
  }
  const api::Condition& enforced = *api::FindCondition(is.conditions, api::kConditionEnforced);
  const api::Condition* told = api::FindCondition(was.conditions, api::kConditionEnforced);
  if (enforced.status == ConditionStatus::kFalse &&
      (told == nullptr || told->message != enforced.message)) {
    events.push_back({true, enforced.reason, enforced.message});
  }
  return events;
}

}  // namespace

QuotaPlan DecideQuota(const ObservedQuota& observed, absl::Time now) {
  QuotaPlan plan;
  if (observed.closed_until && now < *observed.closed_until) {
    plan.requeue_after = *observed.closed_until - now;
  }
  if (const std::optional<absl::Time>& next = observed.usage.limits.next_transition) {
    const absl::Duration until = std::max(*next - now, absl::ZeroDuration());
    plan.requeue_after = std::min(plan.requeue_after.value_or(until), until);
  }
  api::QuotaStatus status = StatusOf(observed, now);
  if (status != observed.quota.status) {
    plan.events = EventsOf(observed.quota.status, status);
    plan.status = std::move(status);
  }
  return plan;
}

}  // namespace korder::quota
