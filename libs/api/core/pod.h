// A pod, as far as korder looks at it or makes it.
//
//   if (HasGate(pod, kGateClaim) && !IsBound(pod)) { ... waits for a ticket ... }
//
// A projection: reading skips what is not listed, so never write back a whole pod that others made;
// patch it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/core/pod_spec.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

inline constexpr std::string_view kPodPending = "Pending";
inline constexpr std::string_view kPodRunning = "Running";
inline constexpr std::string_view kPodSucceeded = "Succeeded";
inline constexpr std::string_view kPodFailed = "Failed";

inline constexpr std::string_view kPodConditionScheduled = "PodScheduled";
inline constexpr std::string_view kPodConditionReady = "Ready";
inline constexpr std::string_view kPodReasonUnschedulable = "Unschedulable";

struct PodCondition {
  std::string type;
  std::string status;
  std::optional<absl::Time> last_transition_time;
  std::string reason;
  std::string message;

  bool operator==(const PodCondition&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
    v("status", self.status);
    v("lastTransitionTime", self.last_transition_time);
    v("reason", self.reason);
    v("message", self.message);
  }
};

struct PodStatus {
  std::string phase;
  std::string reason;
  std::string message;
  std::string nominated_node_name;
  std::vector<PodCondition> conditions;
  std::optional<absl::Time> start_time;

  bool operator==(const PodStatus&) const = default;
  friend bool IsEmptyJson(const PodStatus& status) { return status == PodStatus{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("phase", self.phase);
    v("reason", self.reason);
    v("message", self.message);
    v("nominatedNodeName", self.nominated_node_name);
    v("conditions", self.conditions);
    v("startTime", self.start_time);
  }
};

struct Pod {
  static constexpr ResourceType kResource{
      .group = "", .version = "v1", .plural = "pods", .kind = "Pod"};

  ObjectMeta metadata;
  PodSpec spec;
  PodStatus status;

  bool operator==(const Pod&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

bool IsBound(const Pod& pod);
// Succeeded or Failed: a pod in this phase runs no more and holds no room.
bool IsTerminalPhase(std::string_view phase);
bool IsTerminal(const Pod& pod);
bool HasGate(const Pod& pod, std::string_view gate);
// Points into `pod`; nullptr when there is none of the type.
const PodCondition* FindCondition(const Pod& pod, std::string_view type);
// The scheduler's words when it found no place for the pod; nullptr otherwise. Points into `pod`.
const PodCondition* Unschedulable(const Pod& pod);

}  // namespace korder::api
