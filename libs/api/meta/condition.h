// Conditions of korder's own objects (metav1.Condition).
//
//   SetCondition(status.conditions,
//                {.type = std::string(kConditionReady), .status = ConditionStatus::kTrue,
//                 .observed_generation = order.metadata.generation,
//                 .reason = std::string(kReasonCompleted), .message = "all tickets finished"},
//                now);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/time/time.h"
#include "api/meta/enum_names.h"
#include "json/fields.h"

namespace korder::api {

enum class ConditionStatus { kTrue, kFalse, kUnknown };
constexpr auto EnumNames(ConditionStatus) {
  return std::to_array<std::string_view>({"True", "False", "Unknown"});
}

struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  int64_t observed_generation = 0;
  absl::Time last_transition_time = absl::UnixEpoch();
  std::string reason;  // required by the schema: never empty
  std::string message;

  bool operator==(const Condition&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
    v("status", self.status);
    v("observedGeneration", self.observed_generation);
    v("lastTransitionTime", self.last_transition_time);
    v("reason", self.reason);
    if constexpr (std::is_const_v<Self>) {
      // The schema demands a message; an empty string would be left out when writing.
      const std::optional<std::string> message = self.message;
      v("message", message);
    } else {
      v("message", self.message);
    }
  }
};

// Puts `wanted` in the place of the condition of its type, or adds it. lastTransitionTime becomes
// `now` when the status changed and stays otherwise; `wanted`'s own value is not looked at.
void SetCondition(std::vector<Condition>& conditions, Condition wanted, absl::Time now);

// Points into `conditions`; nullptr when there is none of the type.
const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type);

// True when the condition is there and its status is True.
bool IsConditionTrue(const std::vector<Condition>& conditions, std::string_view type);

void RemoveCondition(std::vector<Condition>& conditions, std::string_view type);

}  // namespace korder::api
