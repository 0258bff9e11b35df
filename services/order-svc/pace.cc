#include "order-svc/pace.h"

#include <algorithm>

namespace korder::order {

Pace::Pace(const Clock& clock, Wake wake, PaceLimits limits)
    : clock_(clock), wake_(std::move(wake)), limits_(limits) {}

void Pace::DropOld() {
  const MonoTime oldest = clock_.Mono() - absl::ToChronoNanoseconds(limits_.patience);
  for (; !by_age_.empty() && by_age_.front().first <= oldest; by_age_.pop_front()) {
    const auto it = under_way_.find(by_age_.front().second);
    // It may be settled, or made anew since.
    if (it != under_way_.end() && it->second == by_age_.front().first) {
      under_way_.erase(it);
    }
  }
}

std::optional<kube::ObjectKey> Pace::Next(size_t worth) {
  if (waiting_.empty() || under_way_.size() + worth > limits_.tickets) {
    return std::nullopt;
  }
  kube::ObjectKey next = std::move(waiting_.front());
  waiting_.pop_front();
  in_waiting_.erase(next);
  return next;
}

size_t Pace::Take(const std::string& ns, const std::vector<std::string>& names) {
  size_t taken = 0;
  std::optional<kube::ObjectKey> next;
  {
    const MutexLock lock(mu_);
    DropOld();
    const MonoTime now = clock_.Mono();
    size_t room = limits_.tickets - std::min(under_way_.size(), limits_.tickets);
    if (room < names.size() && room < WorthTaking()) {
      room = 0;
    }
    for (; taken < std::min(room, names.size()); ++taken) {
      const kube::ObjectKey ticket{ns, names[taken]};
      under_way_[ticket] = now;
      by_age_.emplace_back(now, ticket);
    }
    if (taken == names.size()) {
      next = Next(1);
    }
  }
  if (next) {
    wake_(*next);
  }
  return taken;
}

void Pace::Wait(const kube::ObjectKey& order) {
  std::optional<kube::ObjectKey> next;
  {
    const MutexLock lock(mu_);
    if (in_waiting_.insert(order).second) {
      waiting_.push_back(order);
    }
    // Tickets may have been settled since there was no room.
    next = Next(WorthTaking());
  }
  if (next) {
    wake_(*next);
  }
}

void Pace::Settle(const kube::ObjectKey& ticket) {
  std::optional<kube::ObjectKey> next;
  {
    const MutexLock lock(mu_);
    if (under_way_.erase(ticket) == 0) {
      return;
    }
    next = Next(WorthTaking());
  }
  if (next) {
    wake_(*next);
  }
}

void Pace::OnTicket(const OrderTicket* was, const OrderTicket* is) {
  // A pending ticket says nothing unless something keeps it from its room.
  if (is == nullptr || is->phase != api::TicketPhase::kPending || !is->Why().reason.empty()) {
    Settle(kube::KeyOf(is != nullptr ? *is : *was));
  }
}

void Pace::ForgetAll() {
  const MutexLock lock(mu_);
  under_way_.clear();
  by_age_.clear();
  waiting_.clear();
  in_waiting_.clear();
}

}  // namespace korder::order
