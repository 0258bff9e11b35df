// What a reservation takes, and by what quotas recognise it. Plain values, shared by everything
// here.
//
//   Claim claim = MakeTicketClaim("default", labels, {{"cpu", *Quantity::Parse("500m")}},
//   absl::Hours(24)); claim.amounts;   // {"reserved.cpu": 500m, "tickets": 1}
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "api/value/labels.h"
#include "api/value/quantity.h"

namespace korder::quota {

// By the keys of a quota's spec.hard: "orders", "tickets", "reserved.cpu"...
using Amounts = std::map<std::string, api::Quantity, std::less<>>;

// No single amount of a claim is larger, so that sums over 10^10 claims cannot overflow.
inline constexpr api::Quantity kMaxAmount =
    api::Quantity::FromInt(std::numeric_limits<int64_t>::max());

struct Claim {
  std::string ns;
  api::Labels labels;
  // From 0 to kMaxAmount.
  Amounts amounts;
  // How long the room is held. Absent means without end.
  std::optional<absl::Duration> duration;

  bool operator==(const Claim&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const Claim& claim) {
    for (const auto& [key, value] : claim.labels) {
      h = H::combine(std::move(h), key, value);
    }
    for (const auto& [key, amount] : claim.amounts) {
      h = H::combine(std::move(h), key, amount);
    }
    return H::combine(std::move(h), claim.ns, claim.duration.value_or(absl::InfiniteDuration()));
  }
};

// Claims do not change, and those of one order are all alike: thousands of charges share one.
using ClaimPtr = std::shared_ptr<const Claim>;

// One ticket. What validation refuses is cut: a negative request counts as nothing, one above
// kMaxAmount as that.
Claim MakeTicketClaim(std::string ns, api::Labels labels, const api::ResourceList& requests,
                      std::optional<absl::Duration> duration);
// The claim of a Ticket as it stands: what it was granted, so a longer spec.duration alone changes
// nothing once its window has begun. A duration that cannot be read counts as without end.
Claim ClaimOf(const api::Ticket& ticket);
// The Order itself, not its tickets.
Claim MakeOrderClaim(std::string ns, api::Labels labels);

// The limit that a claim does not fit, with its numbers as people write them.
struct Denial {
  std::string quota;
  // The key of spec.hard.
  std::string resource;
  std::string requested;
  std::string used;  // empty for max-duration
  std::string limit;
  // `quota team-quota: reserved.cpu: requested 500m, used 20 of 20`
  std::string message;
  // When the limit in force changes next, if that is known.
  std::optional<absl::Time> next_change;

  bool operator==(const Denial&) const = default;
};

// "24h", "1h30m".
std::string DurationText(absl::Duration duration);

}  // namespace korder::quota
