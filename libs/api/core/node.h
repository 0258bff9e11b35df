// A node: its taints, whether it is ready, what it can hold. Read only.
//
//   if (IsReady(node) && !node.spec.unschedulable) { ... }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;
  std::optional<absl::Time> time_added;

  bool operator==(const Taint&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("key", self.key);
    v("value", self.value);
    v("effect", self.effect);
    v("timeAdded", self.time_added);
  }
};

struct NodeSpec {
  bool unschedulable = false;
  std::vector<Taint> taints;

  bool operator==(const NodeSpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("unschedulable", self.unschedulable);
    v("taints", self.taints);
  }
};

// Without lastHeartbeatTime, which changes all the time and means nothing to us.
struct NodeCondition {
  std::string type;
  std::string status;
  std::optional<absl::Time> last_transition_time;
  std::string reason;
  std::string message;

  bool operator==(const NodeCondition&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
    v("status", self.status);
    v("lastTransitionTime", self.last_transition_time);
    v("reason", self.reason);
    v("message", self.message);
  }
};

struct NodeStatus {
  ResourceList allocatable;
  std::vector<NodeCondition> conditions;

  bool operator==(const NodeStatus&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("allocatable", self.allocatable);
    v("conditions", self.conditions);
  }
};

struct Node {
  static constexpr ResourceType kResource{
      .group = "", .version = "v1", .plural = "nodes", .kind = "Node", .namespaced = false};

  ObjectMeta metadata;
  NodeSpec spec;
  NodeStatus status;

  bool operator==(const Node&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

// Points into `node`; nullptr when there is none of the type.
const NodeCondition* FindCondition(const Node& node, std::string_view type);
// The condition Ready is True.
bool IsReady(const Node& node);
// When the condition Ready last changed; nothing when it does not say so.
std::optional<absl::Time> ReadySince(const Node& node);

}  // namespace korder::api
