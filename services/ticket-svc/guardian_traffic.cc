#include "ticket-svc/guardian_traffic.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "api/core/node_fit.h"

namespace korder::ticket {
namespace {

constexpr absl::Duration kFirstHoldBack = absl::Seconds(1);
constexpr absl::Duration kLongestHoldBack = absl::Seconds(30);
constexpr size_t kMostLines = 4096;

absl::Duration WaitAfter(int times) {
  return std::min(kLongestHoldBack, kFirstHoldBack * (1 << std::min(times, 5)));
}

}  // namespace

bool MightTake(const OwnPod& guardian, const api::Pod& pod, const api::Node& node) {
  const OwnPod::Where& where = *guardian.where;
  return guardian.ask->priority > pod.spec.priority.value_or(0) &&
         !api::WhyNodeDoesNotFit(
             {guardian.node_name, where.node_selector, where.affinity, where.tolerations}, node);
}

std::string LineOf(const GuardedTicket& ticket) {
  const api::OwnerReference* order = api::ControllerOf(ticket.form->metadata);
  return absl::StrCat(order != nullptr ? order->uid : ticket.metadata.uid.str(), "/",
                      ticket.node_name.str());
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

void GuardianTraffic::SteppedAside(const std::string& line_name) {
  const MutexLock lock(mu_);
  if (lines_.size() >= kMostLines) {
    lines_
        .clear();  // Orders come and go; forgetting costs a few guardians that are made too early.
  }
  Line& line = lines_[line_name];
  const MonoTime now = clock_.Mono();
  if (line.times > 0 && line.next > now) {
    return;  // A sibling has told already.
  }
  line.next = now + absl::ToChronoNanoseconds(WaitAfter(line.times));
  ++line.times;
}

absl::Duration GuardianTraffic::HoldBack(const std::string& line_name) const {
  const MutexLock lock(mu_);
  const auto it = lines_.find(line_name);
  return it == lines_.end()
             ? absl::ZeroDuration()
             : std::max(absl::FromChrono(it->second.next - clock_.Mono()), absl::ZeroDuration());
}

bool GuardianTraffic::TakeTurn(const std::string& line_name) {
  const MutexLock lock(mu_);
  const auto it = lines_.find(line_name);
  if (it == lines_.end()) {
    return true;
  }
  const MonoTime now = clock_.Mono();
  if (it->second.next > now) {
    return false;
  }
  // Should this one neither find room nor step aside, the next one looks after the same wait.
  it->second.next = now + absl::ToChronoNanoseconds(kFirstHoldBack);
  return true;
}

void GuardianTraffic::FoundRoom(const std::string& line_name) {
  const MutexLock lock(mu_);
  lines_.erase(line_name);
}

bool GuardianTraffic::BeginClearing(const std::string& guardian_uid) {
  const MutexLock lock(mu_);
  return clearing_.insert(guardian_uid).second;
}

void GuardianTraffic::Cleared(const std::string& guardian_uid) {
  const MutexLock lock(mu_);
  clearing_.erase(guardian_uid);
}

}  // namespace korder::ticket
