#include "api/meta/condition.h"

#include <algorithm>
#include <utility>

namespace korder::api {

void SetCondition(std::vector<Condition>& conditions, Condition wanted, absl::Time now) {
  // Kubernetes times carry whole seconds. Cut here, so that a value written, read back and compared
  // is equal.
  wanted.last_transition_time = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  for (Condition& present : conditions) {
    if (present.type == wanted.type) {
      if (present.status == wanted.status) {
        wanted.last_transition_time = present.last_transition_time;
      }
      present = std::move(wanted);
      return;
    }
  }
  conditions.push_back(std::move(wanted));
}

const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto it = std::find_if(conditions.begin(), conditions.end(),
                               [type](const Condition& c) { return c.type == type; });
  return it == conditions.end() ? nullptr : &*it;
}

bool IsConditionTrue(const std::vector<Condition>& conditions, std::string_view type) {
  const Condition* condition = FindCondition(conditions, type);
  return condition != nullptr && condition->status == ConditionStatus::kTrue;
}

void RemoveCondition(std::vector<Condition>& conditions, std::string_view type) {
  std::erase_if(conditions, [type](const Condition& c) { return c.type == type; });
}

}  // namespace korder::api
