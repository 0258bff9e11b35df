// An Order: how many reservations of which size are wanted, and when.
//
//   api::Order order;
//   RETURN_IF_ERROR(json::Parse(std::move(body), order));
//   std::vector<api::FieldError> errors = Validate(order);  // validation.h
#pragma once

#include <array>
#include <cstdint>
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
#include "api/v1alpha1/ticket_spec.h"
#include "api/value/label_selector.h"
#include "api/value/labels.h"
#include "json/fields.h"

namespace korder::api {

enum class StrategyType { kOneTime, kScheduled, kRecurring };
constexpr auto EnumNames(StrategyType) {
  return std::to_array<std::string_view>({"OneTime", "Scheduled", "Recurring"});
}

enum class RefreshPolicy { kAlways, kOnClaim, kNever };
constexpr auto EnumNames(RefreshPolicy) {
  return std::to_array<std::string_view>({"Always", "OnClaim", "Never"});
}

struct OrderStrategy {
  StrategyType type = StrategyType::kOneTime;
  std::string schedule;   // cron; empty for OneTime
  std::string time_zone;  // empty: the schedule's own zone, or UTC
  RefreshPolicy refresh_policy = RefreshPolicy::kOnClaim;
  std::optional<DurationField> lead_time;
  std::optional<DurationField> starting_deadline;
  std::vector<std::string> skip;  // RFC 3339 instants or dates

  bool operator==(const OrderStrategy&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
    v("schedule", self.schedule);
    v("timeZone", self.time_zone);
    v("refreshPolicy", self.refresh_policy);
    v("leadTime", self.lead_time);
    v("startingDeadline", self.starting_deadline);
    v("skip", self.skip);
  }
};

struct TemplateMeta {
  Labels labels;
  Labels annotations;

  bool operator==(const TemplateMeta&) const = default;
  friend bool IsEmptyJson(const TemplateMeta& meta) { return meta == TemplateMeta{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("labels", self.labels);
    v("annotations", self.annotations);
  }
};

struct TicketTemplate {
  TemplateMeta metadata;
  TicketSpec spec;

  bool operator==(const TicketTemplate&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
    v("spec", self.spec);
  }
};

struct OrderSpec {
  bool paused = false;
  int32_t replicas = 1;
  bool daemon_set = false;
  OrderStrategy strategy;
  std::optional<LabelSelector> selector;  // absent: korder.dev/order=<name>
  int32_t min_ready_seconds = 0;
  TicketTemplate ticket_template;

  bool operator==(const OrderSpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("paused", self.paused);
    v("replicas", self.replicas);
    v("daemonSet", self.daemon_set);
    v("strategy", self.strategy);
    v("selector", self.selector);
    v("minReadySeconds", self.min_ready_seconds);
    v("template", self.ticket_template);
  }
};

struct TimeWindow {
  std::optional<absl::Time> start;
  std::optional<absl::Time> end;

  bool operator==(const TimeWindow&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("start", self.start);
    v("end", self.end);
  }
};

// Book-keeping of order-svc for one occurrence of a Scheduled order.
struct OrderOccurrence {
  std::optional<absl::Time> start;
  std::string slots;                    // as OrderStatus::slots
  std::vector<std::string> used_nodes;  // as OrderStatus::used_nodes
  std::string skipped;                  // why it is left out; empty when it is served

  bool operator==(const OrderOccurrence&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("start", self.start);
    v("slots", self.slots);
    v("usedNodes", self.used_nodes);
    v("skipped", self.skipped);
  }
};

// With spec.daemonSet: how many nodes are concerned.
struct OrderNodes {
  int32_t eligible = 0;
  int32_t ready = 0;    // have a Ready ticket
  int32_t claimed = 0;  // have a claimed one

  bool operator==(const OrderNodes&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("eligible", self.eligible);
    v("ready", self.ready);
    v("claimed", self.claimed);
  }
};

struct OrderStatus {
  // Tickets wanted in each window: spec.replicas, or one for each eligible node.
  int32_t desired_replicas = 0;
  int32_t replicas = 0;
  int32_t ready_replicas = 0;
  int32_t available_replicas = 0;
  int32_t unavailable_replicas = 0;
  int32_t claimed_replicas = 0;
  int32_t terminal_replicas = 0;
  int32_t updated_replicas = 0;
  std::string selector;  // as text, for the scale subresource
  int64_t observed_generation = 0;
  int32_t collision_count = 0;
  // Which ticket ordinals count against spec.replicas, as ranges: "0-2,5". order-svc's own
  // book-keeping.
  std::string slots;
  // With daemonSet: nodes whose one ticket is used up, so that they get no other.
  std::vector<std::string> used_nodes;
  // Of a Scheduled order: those that have begun and are not over. Their slots are not in `slots`.
  std::vector<OrderOccurrence> occurrences;
  // Never used for a ticket yet.
  int64_t next_ordinal = 0;
  std::optional<OrderNodes> nodes;
  std::optional<TimeWindow> current_window;
  std::optional<TimeWindow> next_window;
  std::optional<absl::Time> last_schedule_time;
  std::vector<Condition> conditions;

  bool operator==(const OrderStatus&) const = default;
  friend bool IsEmptyJson(const OrderStatus& status) { return status == OrderStatus{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("desiredReplicas", self.desired_replicas);
    v("replicas", self.replicas);
    v("readyReplicas", self.ready_replicas);
    v("availableReplicas", self.available_replicas);
    v("unavailableReplicas", self.unavailable_replicas);
    v("claimedReplicas", self.claimed_replicas);
    v("terminalReplicas", self.terminal_replicas);
    v("updatedReplicas", self.updated_replicas);
    v("selector", self.selector);
    v("observedGeneration", self.observed_generation);
    v("collisionCount", self.collision_count);
    v("slots", self.slots);
    v("usedNodes", self.used_nodes);
    v("occurrences", self.occurrences);
    v("nextOrdinal", self.next_ordinal);
    v("nodes", self.nodes);
    v("currentWindow", self.current_window);
    v("nextWindow", self.next_window);
    v("lastScheduleTime", self.last_schedule_time);
    v("conditions", self.conditions);
  }
};

struct Order {
  static constexpr ResourceType kResource{
      .group = kGroup, .version = kVersion, .plural = "orders", .kind = "Order"};

  ObjectMeta metadata;
  OrderSpec spec;
  OrderStatus status;

  bool operator==(const Order&) const = default;

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
