#include "kube/work_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/random.h"

namespace korder::kube {
namespace {

// A worker looks again at least this often: it bounds the damage of a wake-up that was missed.
constexpr std::chrono::seconds kHeartbeat(10);

// Of the items that wait: after a start there are tens of thousands, then hardly any.
constexpr size_t kMostRoomKept = 1024;

// Keeps `now + delay` representable.
constexpr absl::Duration kLongestDelay = absl::Hours(24 * 365);

}  // namespace

WorkQueue::WorkQueue(std::string name, const Clock& clock, BackoffPolicy backoff,
                     Observer& observer)
    : name_(std::move(name)),
      clock_(clock),
      backoff_(backoff),
      observer_(observer),
      random_(RandomWord()) {}

void WorkQueue::Add(const ObjectKey& key) {
  int depth = 0;
  {
    const MutexLock lock(mu_);
    AddLocked(key, clock_.Mono());
    depth = static_cast<int>(order_.size());
  }
  changed_.NotifyOne();
  observer_.QueueAdd(name_);
  observer_.QueueDepth(name_, depth);
}

void WorkQueue::AddAfter(const ObjectKey& key, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) {
    return Add(key);
  }
  bool sooner = false;
  {
    const MutexLock lock(mu_);
    const std::optional<MonoTime> before = delayed_.NextDeadline();
    delayed_.Push(key, clock_.Mono() + absl::ToChronoNanoseconds(std::min(delay, kLongestDelay)));
    sooner = delayed_.NextDeadline() != before;
  }
  if (sooner) {
    // All of them: whoever is told alone may be busy with another item when this one is due.
    changed_.NotifyAll();
  }
  observer_.QueueAdd(name_);
}

void WorkQueue::AddRateLimited(const ObjectKey& key) {
  absl::Duration delay;
  {
    const MutexLock lock(mu_);
    const double random = std::uniform_real_distribution<double>(0, 1)(random_);
    delay = BackoffDelay(backoff_, ++failures_[key], random);
  }
  observer_.QueueRetry(name_);
  AddAfter(key, delay);
}

void WorkQueue::Forget(const ObjectKey& key) {
  const MutexLock lock(mu_);
  failures_.erase(key);
}

void WorkQueue::RetryFailed() {
  {
    const MutexLock lock(mu_);
    for (const auto& [key, count] : failures_) {
      delayed_.Push(key, clock_.Mono());
    }
  }
  changed_.NotifyAll();
}

int WorkQueue::Failures(const ObjectKey& key) const {
  const MutexLock lock(mu_);
  const auto it = failures_.find(key);
  return it == failures_.end() ? 0 : it->second;
}

std::optional<ObjectKey> WorkQueue::Get(std::stop_token stop) {
  std::optional<Taken> taken;
  {
    const MutexLock lock(mu_);
    while (!stop.stop_requested()) {
      taken = TakeLocked();
      if (taken) {
        break;
      }
      WaitLocked(stop);
    }
  }
  return Report(std::move(taken));
}

std::optional<ObjectKey> WorkQueue::TryGet() {
  std::optional<Taken> taken;
  {
    const MutexLock lock(mu_);
    taken = TakeLocked();
  }
  return Report(std::move(taken));
}

void WorkQueue::Done(const ObjectKey& key) {
  {
    const MutexLock lock(mu_);
    processing_.erase(key);
    if (!dirty_.contains(key)) {
      return;
    }
    order_.emplace_back(key, clock_.Mono());
  }
  changed_.NotifyOne();
}

int WorkQueue::size() const {
  const MutexLock lock(mu_);
  return static_cast<int>(order_.size());
}

std::optional<MonoTime> WorkQueue::NextDeadline() const {
  const MutexLock lock(mu_);
  return delayed_.NextDeadline();
}

void WorkQueue::AddLocked(const ObjectKey& key, MonoTime due) {
  if (dirty_.insert(key).second && !processing_.contains(key)) {
    order_.emplace_back(key, due);
  }
}

std::optional<WorkQueue::Taken> WorkQueue::TakeLocked() {
  const MonoTime now = clock_.Mono();
  while (std::optional<DelayHeap::Due> due = delayed_.PopReady(now)) {
    AddLocked(due->key, due->at);
  }
  if (order_.empty()) {
    return std::nullopt;
  }
  auto [key, due] = std::move(order_.front());
  order_.pop_front();
  dirty_.erase(key);
  if (dirty_.empty() && dirty_.capacity() > kMostRoomKept) {
    dirty_.clear();  // gives it back
  }
  processing_.insert(key);
  return Taken{std::move(key), absl::FromChrono(now - due), static_cast<int>(order_.size())};
}

void WorkQueue::WaitLocked(const std::stop_token& stop) {
  // The wait is real time even when the clock is a test's.
  std::chrono::nanoseconds wait = kHeartbeat;
  const std::optional<MonoTime> next = delayed_.NextDeadline();
  if (next) {
    wait = std::min<std::chrono::nanoseconds>(wait, *next - clock_.Mono());
  }
  changed_.WaitUntil(mu_, stop, SteadyNow() + wait, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !order_.empty() || delayed_.NextDeadline() != next;
  });
}

std::optional<ObjectKey> WorkQueue::Report(std::optional<Taken> taken) {
  if (!taken) {
    return std::nullopt;
  }
  observer_.QueueWait(name_, taken->waited);
  observer_.QueueDepth(name_, taken->depth);
  return std::move(taken->key);
}

}  // namespace korder::kube
