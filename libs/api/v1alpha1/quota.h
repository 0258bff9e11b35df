// A Quota: what may be reserved, by whom, and at which times of day.
//
//   for (const auto& [key, limit] : quota.spec.hard) { ... key "reserved.cpu", limit.text "20" }
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/meta/condition.h"
#include "api/meta/enum_names.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "api/v1alpha1/duration_field.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/number_or_string.h"
#include "api/value/label_selector.h"
#include "json/fields.h"

namespace korder::api {

// The keys of `hard`, `limits`, `used`...: these three and "reserved.<resource>".
inline constexpr std::string_view kQuotaOrders = "orders";
inline constexpr std::string_view kQuotaTickets = "tickets";
inline constexpr std::string_view kQuotaMaxDuration = "max-duration";
inline constexpr std::string_view kQuotaReservedPrefix = "reserved.";

enum class ScopeType { kCluster, kNamespaceSelector, kNamespaceList, kObjectSelector };
constexpr auto EnumNames(ScopeType) {
  return std::to_array<std::string_view>(
      {"Cluster", "NamespaceSelector", "NamespaceList", "ObjectSelector"});
}

enum class Weekday { kMon, kTue, kWed, kThu, kFri, kSat, kSun };
constexpr auto EnumNames(Weekday) {
  return std::to_array<std::string_view>({"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"});
}

// Exactly the member that the type names is set.
struct QuotaScope {
  ScopeType type = ScopeType::kCluster;
  std::vector<std::string> namespaces;
  std::optional<LabelSelector> namespace_selector;
  std::optional<LabelSelector> object_selector;

  bool operator==(const QuotaScope&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
    v("namespaces", self.namespaces);
    v("namespaceSelector", self.namespace_selector);
    v("objectSelector", self.object_selector);
  }
};

// Limits as written: counts, quantities, and a duration for max-duration.
using QuotaLimits = std::map<std::string, NumberOrString, std::less<>>;
// The same as the status shows them.
using QuotaAmounts = std::map<std::string, std::string, std::less<>>;

// Either `schedule` (and perhaps `duration`), or `days` and `hours`.
struct QuotaTimeWindow {
  std::string name;
  NumberOrString multiplier;
  std::string schedule;                   // cron: each tick opens `duration`
  std::optional<DurationField> duration;  // absent: 1h
  std::vector<Weekday> days;
  std::string hours;      // "09:00-18:00"; may pass midnight
  std::string time_zone;  // empty: UTC

  bool operator==(const QuotaTimeWindow&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("multiplier", self.multiplier);
    v("schedule", self.schedule);
    v("duration", self.duration);
    v("days", self.days);
    v("hours", self.hours);
    v("timeZone", self.time_zone);
  }
};

// A cap for one namespace inside the quota.
struct QuotaAllocation {
  std::string ns;
  QuotaLimits limits;

  bool operator==(const QuotaAllocation&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("namespace", self.ns);
    v("limits", self.limits);
  }
};

struct QuotaSpec {
  QuotaScope scope;
  QuotaLimits hard;
  std::vector<QuotaTimeWindow> time_windows;  // the first that is open wins
  std::vector<QuotaAllocation> allocation;

  bool operator==(const QuotaSpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("scope", self.scope);
    v("hard", self.hard);
    v("timeWindows", self.time_windows);
    v("allocation", self.allocation);
  }
};

struct QuotaAllocationStatus {
  std::string ns;
  QuotaAmounts hard;
  QuotaAmounts used;

  bool operator==(const QuotaAllocationStatus&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("namespace", self.ns);
    v("hard", self.hard);
    v("used", self.used);
  }
};

// "used/hard" texts for the columns of kubectl.
struct QuotaSummary {
  std::string orders;
  std::string tickets;
  std::string cpu;
  std::string memory;

  bool operator==(const QuotaSummary&) const = default;
  friend bool IsEmptyJson(const QuotaSummary& summary) { return summary == QuotaSummary{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("orders", self.orders);
    v("tickets", self.tickets);
    v("cpu", self.cpu);
    v("memory", self.memory);
  }
};

struct QuotaStatus {
  QuotaAmounts hard;  // in force now, the window's multiplier applied
  QuotaAmounts used;
  QuotaAmounts available;
  std::vector<QuotaAllocationStatus> allocations;
  std::string active_time_window;
  std::optional<absl::Time> next_transition_time;
  QuotaSummary summary;
  int64_t observed_generation = 0;
  std::vector<Condition> conditions;

  bool operator==(const QuotaStatus&) const = default;
  friend bool IsEmptyJson(const QuotaStatus& status) { return status == QuotaStatus{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("hard", self.hard);
    v("used", self.used);
    v("available", self.available);
    v("allocations", self.allocations);
    v("activeTimeWindow", self.active_time_window);
    v("nextTransitionTime", self.next_transition_time);
    v("summary", self.summary);
    v("observedGeneration", self.observed_generation);
    v("conditions", self.conditions);
  }
};

struct Quota {
  static constexpr ResourceType kResource{.group = kGroup,
                                          .version = kVersion,
                                          .plural = "quotas",
                                          .kind = "Quota",
                                          .namespaced = false};

  ObjectMeta metadata;
  QuotaSpec spec;
  QuotaStatus status;

  bool operator==(const Quota&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", kApiVersion);
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

}  // namespace korder::api
