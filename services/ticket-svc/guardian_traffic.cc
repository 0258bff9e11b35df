#include "ticket-svc/guardian_traffic.h"

#include <algorithm>

#include "api/core/node_fit.h"

namespace korder::ticket {
namespace {

constexpr absl::Duration kFirstHoldBack = absl::Seconds(1);
constexpr absl::Duration kLongestHoldBack = absl::Seconds(30);

}  // namespace

bool MightTake(const api::Pod& guardian, const api::Pod& pod, const api::Node& node) {
  return guardian.spec.priority.value_or(0) > pod.spec.priority.value_or(0) &&
         !api::WhyNodeDoesNotFit(api::PlacementOf(guardian.spec), node);
}

GuardianTraffic::Making::Making(GuardianTraffic& traffic)
    : traffic_(traffic), number_([&traffic] {
        const MutexLock lock(traffic.mu_);
        traffic.making_.insert(traffic.next_);
        return traffic.next_++;
      }()) {}

GuardianTraffic::Making::~Making() {
  const MutexLock lock(traffic_.mu_);
  traffic_.making_.erase(number_);
}

uint64_t GuardianTraffic::Moment() const {
  const MutexLock lock(mu_);
  return next_;
}

bool GuardianTraffic::AllMadeBefore(uint64_t moment) const {
  const MutexLock lock(mu_);
  return making_.empty() || *making_.begin() >= moment;
}

void GuardianTraffic::SteppedAside(const std::string& ticket_uid) {
  const MutexLock lock(mu_);
  Turn& turn = turns_[ticket_uid];
  const absl::Duration wait =
      std::min(kLongestHoldBack, kFirstHoldBack * (1 << std::min(turn.times, 5)));
  ++turn.times;
  turn.next = clock_.Mono() + absl::ToChronoNanoseconds(wait);
}

absl::Duration GuardianTraffic::HoldBack(const std::string& ticket_uid) const {
  const MutexLock lock(mu_);
  const auto it = turns_.find(ticket_uid);
  return it == turns_.end()
             ? absl::ZeroDuration()
             : std::max(absl::FromChrono(it->second.next - clock_.Mono()), absl::ZeroDuration());
}

void GuardianTraffic::Forget(const std::string& ticket_uid) {
  const MutexLock lock(mu_);
  turns_.erase(ticket_uid);
}

}  // namespace korder::ticket
