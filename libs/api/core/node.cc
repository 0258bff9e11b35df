#include "api/core/node.h"

namespace korder::api {

const NodeCondition* FindCondition(const Node& node, std::string_view type) {
  for (const NodeCondition& condition : node.status.conditions) {
    if (condition.type == type) {
      return &condition;
    }
  }
  return nullptr;
}

bool IsReady(const Node& node) {
  const NodeCondition* ready = FindCondition(node, "Ready");
  return ready != nullptr && ready->status == "True";
}

std::optional<absl::Time> ReadySince(const Node& node) {
  const NodeCondition* ready = FindCondition(node, "Ready");
  return ready != nullptr ? ready->last_transition_time : std::nullopt;
}

}  // namespace korder::api
