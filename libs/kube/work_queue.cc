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
  Call call;
  {
    const MutexLock lock(mu_);
    AddLocked(key, clock_.Mono());
    depth = static_cast<int>(order_.size());
    call = CallLocked();
  }
  Wake(call);
  observer_.QueueAdd(name_);
  observer_.QueueDepth(name_, depth);
}

void WorkQueue::AddAfter(const ObjectKey& key, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) {
    return Add(key);
  }
  Call call;
  {
    const MutexLock lock(mu_);
    const std::optional<MonoTime> before = delayed_.NextDeadline();
    delayed_.Push(key, clock_.Mono() + absl::ToChronoNanoseconds(std::min(delay, kLongestDelay)));
    call = CallToClockLocked(before);
  }
  Wake(call);
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
  Call call;
  {
    const MutexLock lock(mu_);
    const std::optional<MonoTime> before = delayed_.NextDeadline();
    for (const auto& [key, count] : failures_) {
      delayed_.Push(key, clock_.Mono());
    }
    call = CallToClockLocked(before);
  }
  Wake(call);
}

int WorkQueue::Failures(const ObjectKey& key) const {
  const MutexLock lock(mu_);
  const auto it = failures_.find(key);
  return it == failures_.end() ? 0 : it->second;
}

std::optional<ObjectKey> WorkQueue::Get(std::stop_token stop) {
  std::optional<Taken> taken;
  Call call;
  {
    const MutexLock lock(mu_);
    while (!stop.stop_requested()) {
      taken = TakeLocked();
      if (taken) {
        break;
      }
      WaitLocked(stop);
    }
    // For what is left, and for the place at the clock. Also of one that stops: it may have been
    // called for an item.
    call = CallLocked();
  }
  Wake(call);
  return Report(std::move(taken));
}

std::optional<ObjectKey> WorkQueue::TryGet() {
  std::optional<Taken> taken;
  Call call;
  {
    const MutexLock lock(mu_);
    taken = TakeLocked();
    call = CallLocked();
  }
  Wake(call);
  return Report(std::move(taken));
}

void WorkQueue::Done(const ObjectKey& key) {
  Call call;
  {
    const MutexLock lock(mu_);
    processing_.erase(key);
    if (!dirty_.contains(key)) {
      return;
    }
    order_.emplace_back(key, clock_.Mono());
    call = CallLocked();
  }
  Wake(call);
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
  if (watched_) {
    FollowLocked(stop);
  } else {
    WatchLocked(stop);
  }
}

void WorkQueue::WatchLocked(const std::stop_token& stop) {
  // The wait is real time even when the clock is a test's.
  std::chrono::nanoseconds wait = kHeartbeat;
  const std::optional<MonoTime> next = delayed_.NextDeadline();
  if (next) {
    wait = std::min<std::chrono::nanoseconds>(wait, *next - clock_.Mono());
  }
  watched_ = true;
  clock_or_call_.WaitUntil(mu_, stop, SteadyNow() + wait, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return watcher_called_ || delayed_.NextDeadline() != next;
  });
  watched_ = false;
  watcher_called_ = false;
}

void WorkQueue::FollowLocked(const std::stop_token& stop) {
  ++followers_;
  call_.WaitUntil(mu_, stop, SteadyNow() + kHeartbeat,
                  [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return called_ > 0; });
  --followers_;
  // Whichever of them the call was meant for: this one is awake, and does what there is to do.
  called_ = std::max(0, called_ - 1);
}

WorkQueue::Call WorkQueue::CallLocked() {
  const int items = static_cast<int>(order_.size());
  Call call;
  const int wanted = std::min(followers_, watched_ ? items : items + 1);
  call.followers = std::max(0, wanted - called_);
  called_ += call.followers;
  // The one at the clock last: somebody would have to follow it there.
  call.watcher = watched_ && !watcher_called_ && items > called_;
  watcher_called_ = watcher_called_ || call.watcher;
  return call;
}

WorkQueue::Call WorkQueue::CallToClockLocked(std::optional<MonoTime> before) const {
  // Where nobody watches the clock nobody is idle, or somebody is on the way to it.
  return {.watcher = watched_ && !watcher_called_ && delayed_.NextDeadline() != before};
}

void WorkQueue::Wake(const Call& call) {
  for (int i = 0; i < call.followers; ++i) {
    call_.NotifyOne();
  }
  if (call.watcher) {
    clock_or_call_.NotifyOne();
  }
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
