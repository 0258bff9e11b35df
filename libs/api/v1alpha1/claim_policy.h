// A ClaimPolicy: lets pods use tickets without carrying an annotation.
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
#include "api/value/label_selector.h"
#include "api/value/labels.h"
#include "json/fields.h"

namespace korder::api {

// How long a pod waits for a ticket when nothing else is said.
inline constexpr absl::Duration kDefaultClaimTimeout = absl::Seconds(30);

// Required: never on another node than the ticket's.
enum class ClaimMode { kPreferred, kRequired };
constexpr auto EnumNames(ClaimMode) {
  return std::to_array<std::string_view>({"Preferred", "Required"});
}

// What becomes of a pod for which there is no ticket.
enum class ClaimFallback { kSchedule, kWait, kDeny };
constexpr auto EnumNames(ClaimFallback) {
  return std::to_array<std::string_view>({"Schedule", "Wait", "Deny"});
}

// Narrows which tickets a pod may take.
struct TicketChoice {
  std::string order;
  std::optional<LabelSelector> selector;

  bool operator==(const TicketChoice&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("order", self.order);
    v("selector", self.selector);
  }
};

struct ClaimPolicySpec {
  LabelSelector pod_selector;
  std::optional<TicketChoice> tickets;  // absent: any ticket of the namespace
  ClaimMode mode = ClaimMode::kPreferred;
  ClaimFallback fallback = ClaimFallback::kSchedule;
  DurationField claim_timeout{kDefaultClaimTimeout};

  bool operator==(const ClaimPolicySpec&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("podSelector", self.pod_selector);
    v("tickets", self.tickets);
    v("mode", self.mode);
    v("fallback", self.fallback);
    v("claimTimeout", self.claim_timeout);
  }
};

struct ClaimPolicyStatus {
  int64_t claimed = 0;
  int64_t waiting = 0;
  int64_t missed = 0;
  // What a pod is made to say, so that the API server's own policies can do it by themselves; and
  // whose pods they are not: selectors of the older policies of the namespace. Both empty while the
  // policy has no effect.
  Labels pod_annotations;
  std::vector<LabelSelector> preceded_by;
  int64_t observed_generation = 0;
  std::vector<Condition> conditions;

  bool operator==(const ClaimPolicyStatus&) const = default;
  friend bool IsEmptyJson(const ClaimPolicyStatus& s) { return s == ClaimPolicyStatus{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("claimed", self.claimed);
    v("waiting", self.waiting);
    v("missed", self.missed);
    v("podAnnotations", self.pod_annotations);
    v("precededBy", self.preceded_by);
    v("observedGeneration", self.observed_generation);
    v("conditions", self.conditions);
  }
};

struct ClaimPolicy {
  static constexpr ResourceType kResource{
      .group = kGroup, .version = kVersion, .plural = "claimpolicies", .kind = "ClaimPolicy"};

  ObjectMeta metadata;
  ClaimPolicySpec spec;
  ClaimPolicyStatus status;

  bool operator==(const ClaimPolicy&) const = default;

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
