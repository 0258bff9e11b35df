#include "kube/work_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace korder::kube {
namespace {

// Bounds the damage of a wake-up that was missed.
constexpr std::chrono::seconds kHeartbeat(10);

}  // namespace

WorkQueue::WorkQueue(std::string name, const Clock& clock, BackoffPolicy backoff,
                     Observer& observer)
    : name_(std::move(name)),
      clock_(clock),
      backoff_(backoff),
      observer_(observer),
      random_(std::random_device{}()) {}

void WorkQueue::Add(const ObjectKey& key) {
  int depth = 0;
  {
    const MutexLock lock(mu_);
    AddLocked(key);
    depth = static_cast<int>(order_.size());
  }
  changed_.NotifyOne();
  observer_.QueueAdd(name_);
  observer_.QueueDepth(name_, depth);
}

void WorkQueue::AddLocked(const ObjectKey& key) {
  if (!dirty_.insert(key).second) {
    return;
  }
  if (!processing_.contains(key)) {
    order_.emplace_back(key, clock_.Mono());
  }
}

void WorkQueue::AddAfter(const ObjectKey& key, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) {
    return Add(key);
  }
  {
    const MutexLock lock(mu_);
    delayed_.Push(
        key, clock_.Mono() + absl::ToChronoNanoseconds(std::min(delay, absl::Hours(24 * 365))));
  }
  changed_.NotifyOne();
}

void WorkQueue::AddRateLimited(const ObjectKey& key) {
  absl::Duration delay;
  {
    const MutexLock lock(mu_);
    const double random = static_cast<double>(random_() - std::minstd_rand::min()) /
                          static_cast<double>(std::minstd_rand::max() - std::minstd_rand::min());
    delay = BackoffDelay(backoff_, ++failures_[key], random);
  }
  observer_.QueueRetry(name_);
  AddAfter(key, delay);
}

void WorkQueue::Forget(const ObjectKey& key) {
  const MutexLock lock(mu_);
  failures_.erase(key);
}

int WorkQueue::Failures(const ObjectKey& key) const {
  const MutexLock lock(mu_);
  const auto it = failures_.find(key);
  return it == failures_.end() ? 0 : it->second;
}

void WorkQueue::MoveDue() {
  const MonoTime now = clock_.Mono();
  while (std::optional<ObjectKey> key = delayed_.PopReady(now)) {
    AddLocked(*key);
  }
}

std::optional<ObjectKey> WorkQueue::Get(std::stop_token stop) {
  std::optional<ObjectKey> key;
  absl::Duration waited;
  int depth = 0;
  {
    const MutexLock lock(mu_);
    for (;;) {
      if (stop.stop_requested()) {
        return std::nullopt;
      }
      MoveDue();
      if (!order_.empty()) {
        break;
      }
      const std::optional<MonoTime> next = delayed_.NextDeadline();
      MonoTime until = clock_.Mono() + kHeartbeat;
      until = next ? std::min(until, *next) : until;
      const auto wait = until - clock_.Mono();
      // An item that becomes due earlier ends the wait as well.
      changed_.WaitUntil(mu_, stop, std::chrono::steady_clock::now() + wait,
                         [&] { return !order_.empty() || delayed_.NextDeadline() != next; });
    }
    key = std::move(order_.front().first);
    waited = absl::FromChrono(clock_.Mono() - order_.front().second);
    order_.pop_front();
    dirty_.erase(*key);
    processing_.insert(*key);
    depth = static_cast<int>(order_.size());
  }
  observer_.QueueWait(name_, waited);
  observer_.QueueDepth(name_, depth);
  return key;
}

void WorkQueue::Done(const ObjectKey& key) {
  {
    const MutexLock lock(mu_);
    processing_.erase(key);
    if (dirty_.contains(key)) {
      order_.emplace_back(key, clock_.Mono());
    }
  }
  changed_.NotifyOne();
}

int WorkQueue::size() const {
  const MutexLock lock(mu_);
  return static_cast<int>(order_.size());
}

}  // namespace korder::kube
