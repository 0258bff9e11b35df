#include <algorithm>
#include <set>
#include <string>

#include "api/core/resources_validation.h"
#include "api/meta/dns_name.h"
#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/schedule_validation.h"
#include "api/v1alpha1/validation.h"
#include "api/value/duration.h"

namespace korder::api {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Digits, perhaps with a fraction: the form in which a multiplier is exact.
bool IsDecimal(std::string_view text) {
  const size_t dot = text.find('.');
  return dot == std::string_view::npos
             ? IsDigits(text)
             : IsDigits(text.substr(0, dot)) && IsDigits(text.substr(dot + 1));
}

// "", or what is wrong with a value of reserved.<resource>.
std::string ReservedProblem(const std::string& text) {
  const absl::StatusOr<Quantity> amount = Quantity::Parse(text);
  if (!amount.ok()) {
    return "must be a quantity such as 20, 500m or 40Gi";
  }
  return amount->IsNegative() ? "must be 0 or more" : "";
}

std::string MaxDurationProblem(const std::string& text) {
  const absl::StatusOr<absl::Duration> limit = ParseDuration(text);
  if (!limit.ok()) {
    return std::string(Message(limit.status()));
  }
  return *limit < absl::ZeroDuration() ? "must not be negative" : "";
}

void ValidateLimits(const QuotaLimits& limits, const FieldPath& path, Problems& problems) {
  if (limits.empty()) {
    problems.Missing(path, "at least one limit is needed");
  }
  for (const auto& [key, limit] : limits) {
    const FieldPath at = path.Key(key);
    if (key == kQuotaOrders || key == kQuotaTickets) {
      problems.AddIf(at, limit.text,
                     IsDigits(limit.text) ? "" : "must be a whole number, 0 or more");
    } else if (key == kQuotaMaxDuration) {
      problems.AddIf(at, limit.text, MaxDurationProblem(limit.text));
    } else if (key.starts_with(kQuotaReservedPrefix)) {
      problems.AddIf(path, key, ResourceNameProblem(key.substr(kQuotaReservedPrefix.size())));
      problems.AddIf(at, limit.text, ReservedProblem(limit.text));
    } else {
      problems.Add(path, key,
                   "is not a known key; known are orders, tickets, reserved.<resource> and "
                   "max-duration");
    }
  }
}

// A member of the scope is there exactly when the type is the one it belongs to.
void CheckMember(bool present, bool wanted, std::string_view type, const FieldPath& path,
                 Problems& problems) {
  if (present != wanted) {
    problems.Missing(
        path, std::string(wanted ? "is needed for scope type " : "is not allowed for scope type ")
                  .append(type));
  }
}

void ValidateScope(const QuotaScope& scope, const FieldPath& path, Problems& problems) {
  const std::string_view type = Name(scope.type);
  CheckMember(!scope.namespaces.empty(), scope.type == ScopeType::kNamespaceList, type,
              path / "namespaces", problems);
  CheckMember(scope.namespace_selector.has_value(), scope.type == ScopeType::kNamespaceSelector,
              type, path / "namespaceSelector", problems);
  CheckMember(scope.object_selector.has_value(), scope.type == ScopeType::kObjectSelector, type,
              path / "objectSelector", problems);
  for (size_t i = 0; i < scope.namespaces.size(); ++i) {
    problems.AddIf((path / "namespaces")[i], scope.namespaces[i],
                   DnsLabelProblem(scope.namespaces[i]));
  }
  if (scope.namespace_selector.has_value()) {
    problems.Append(Validate(*scope.namespace_selector, (path / "namespaceSelector").text()));
  }
  if (scope.object_selector.has_value()) {
    problems.Append(Validate(*scope.object_selector, (path / "objectSelector").text()));
  }
}

void ValidateDays(const QuotaTimeWindow& window, const FieldPath& path, Problems& problems) {
  if (window.days.empty()) {
    problems.Missing(path / "days", "is needed beside hours");
  }
  std::set<Weekday> seen;
  for (size_t i = 0; i < window.days.size(); ++i) {
    if (!seen.insert(window.days[i]).second) {
      problems.Add((path / "days")[i], Name(window.days[i]), "stands there twice");
    }
  }
  if (window.hours.empty()) {
    problems.Missing(path / "hours", "is needed beside days");
  } else {
    problems.AddIf(path / "hours", window.hours, Message(ParseDayHours(window.hours).status()));
  }
  if (window.duration.has_value()) {
    problems.Add(path / "duration", window.duration->text(),
                 "belongs to schedule; hours already say how long the window is");
  }
  CheckTimeZone(window.time_zone, path / "timeZone", problems);
}

void ValidateWindow(const QuotaTimeWindow& window, const FieldPath& path, Problems& problems) {
  if (window.name.empty()) {
    problems.Missing(path / "name", "is required");
  }
  if (!IsDecimal(window.multiplier.text)) {
    problems.Add(path / "multiplier", window.multiplier.text,
                 "must be a decimal number, 0 or more, such as 1.5");
  }
  const bool by_hours = !window.days.empty() || !window.hours.empty();
  if (!window.schedule.empty() && by_hours) {
    problems.Add(path / "schedule", window.schedule, "is not allowed beside days and hours");
  } else if (window.schedule.empty() && !by_hours) {
    problems.Missing(path, "either schedule, or days and hours, is needed");
  } else if (by_hours) {
    ValidateDays(window, path, problems);
  } else {
    CheckSchedule(window.schedule, window.time_zone, path, problems);
    CheckPositive(window.duration, path / "duration", problems);
  }
}

void ValidateWindows(const std::vector<QuotaTimeWindow>& windows, const FieldPath& path,
                     Problems& problems) {
  std::set<std::string> names;
  for (size_t i = 0; i < windows.size(); ++i) {
    ValidateWindow(windows[i], path[i], problems);
    if (!windows[i].name.empty() && !names.insert(windows[i].name).second) {
      problems.Add(path[i] / "name", windows[i].name, "stands there twice");
    }
  }
}

void ValidateAllocation(const std::vector<QuotaAllocation>& allocation, const FieldPath& path,
                        Problems& problems) {
  std::set<std::string> namespaces;
  for (size_t i = 0; i < allocation.size(); ++i) {
    problems.AddIf(path[i] / "namespace", allocation[i].ns, DnsLabelProblem(allocation[i].ns));
    if (!namespaces.insert(allocation[i].ns).second) {
      problems.Add(path[i] / "namespace", allocation[i].ns, "stands there twice");
    }
    ValidateLimits(allocation[i].limits, path[i] / "limits", problems);
  }
}

// True when both are amounts and the cap is above the limit.
bool IsAbove(std::string_view key, const std::string& cap, const std::string& limit) {
  if (key == kQuotaMaxDuration) {
    const absl::StatusOr<absl::Duration> a = ParseDuration(cap);
    const absl::StatusOr<absl::Duration> b = ParseDuration(limit);
    return a.ok() && b.ok() && *a > *b;
  }
  const absl::StatusOr<Quantity> a = Quantity::Parse(cap);
  const absl::StatusOr<Quantity> b = Quantity::Parse(limit);
  return a.ok() && b.ok() && *a > *b;
}

}  // namespace

std::vector<FieldError> Validate(const Quota& quota) {
  Problems problems;
  const FieldPath spec("spec");
  ValidateScope(quota.spec.scope, spec / "scope", problems);
  ValidateLimits(quota.spec.hard, spec / "hard", problems);
  ValidateWindows(quota.spec.time_windows, spec / "timeWindows", problems);
  ValidateAllocation(quota.spec.allocation, spec / "allocation", problems);
  return problems.Take();
}

std::vector<FieldError> ValidateUpdate(const Quota&, const Quota& now) {
  return now.metadata.deleting() ? std::vector<FieldError>{} : Validate(now);
}

std::vector<std::string> Warnings(const Quota& quota) {
  std::vector<std::string> warnings;
  const FieldPath allocation("spec.allocation");
  for (size_t i = 0; i < quota.spec.allocation.size(); ++i) {
    for (const auto& [key, cap] : quota.spec.allocation[i].limits) {
      const auto limit = quota.spec.hard.find(key);
      if (limit != quota.spec.hard.end() && IsAbove(key, cap.text, limit->second.text)) {
        warnings.push_back(Render({(allocation[i] / "limits").Key(key).text(), cap.text,
                                   "is above the quota's own limit of " + limit->second.text}));
      }
    }
  }
  return warnings;
}

}  // namespace korder::api
