// What a ticket holds, where and how long. A Ticket's spec and, in an Order, template.spec.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/core/scheduling.h"
#include "api/meta/enum_names.h"
#include "api/v1alpha1/duration_field.h"
#include "api/value/labels.h"
#include "base/boxed.h"
#include "json/fields.h"

namespace korder::api {

enum class CleanupPolicy { kDelete, kRetain };
constexpr auto EnumNames(CleanupPolicy) {
  return std::to_array<std::string_view>({"Delete", "Retain"});
}

struct TicketLifecycle {
  int32_t ttl_seconds_after_finished = 300;
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;

  bool operator==(const TicketLifecycle&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("ttlSecondsAfterFinished", self.ttl_seconds_after_finished);
    v("cleanupPolicy", self.cleanup_policy);
  }
};

struct TicketSpec {
  TicketLifecycle lifecycle;
  std::optional<absl::Time> start_time;   // absent: at once
  std::optional<DurationField> duration;  // absent: until the ticket is deleted
  std::string scheduler_name;
  std::string priority_class_name;
  // As the user wrote it. What counts is EffectiveRequests(spec), in defaults.h.
  ResourceRequirements resources;
  std::string node_name;
  Labels node_selector;
  Boxed<Affinity> affinity;
  std::vector<Toleration> tolerations;
  std::vector<TopologySpreadConstraint> topology_spread_constraints;

  bool operator==(const TicketSpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("lifecycle", self.lifecycle);
    v("startTime", self.start_time);
    v("duration", self.duration);
    v("schedulerName", self.scheduler_name);
    v("priorityClassName", self.priority_class_name);
    v("resources", self.resources);
    v("nodeName", self.node_name);
    v("nodeSelector", self.node_selector);
    v("affinity", self.affinity);
    v("tolerations", self.tolerations);
    v("topologySpreadConstraints", self.topology_spread_constraints);
  }
};

}  // namespace korder::api
