// The queue between "something changed" and "look at it": fair (first come, first served), stingy
// (an item added twice is handled once), never hands one item to two workers at the same time, and
// can be told to add an item later or after a failure's back-off.
//
//   queue.Add(key);
//   while (std::optional<ObjectKey> key = queue.Get(stop)) { ...; queue.Done(*key); }
//
// Thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/delay_heap.h"
#include "kube/object_key.h"
#include "kube/observer.h"

namespace korder::kube {

class WorkQueue {
 public:
  // Borrows clock and observer. `name` stands in metrics.
  WorkQueue(std::string name, const Clock& clock, BackoffPolicy backoff = {},
            Observer& observer = NoObserver());

  void Add(const ObjectKey& key);
  // Adding the same item with two delays keeps the earlier.
  void AddAfter(const ObjectKey& key, absl::Duration delay);
  // Adds after a delay that grows with every call since the last Forget.
  void AddRateLimited(const ObjectKey& key);
  void Forget(const ObjectKey& key);
  // Every item whose last try failed is due now: what they failed of may be over.
  void RetryFailed();
  int Failures(const ObjectKey& key) const;

  // The next due item; nullopt once stop is requested. Each Get is answered by one Done.
  std::optional<ObjectKey> Get(std::stop_token stop);
  // As Get, but nullopt when nothing is due. For one thread that drives several queues.
  std::optional<ObjectKey> TryGet();
  // The item may be handed out again; it is, if it was added meanwhile.
  void Done(const ObjectKey& key);

  // Items that wait to be taken, without those that are not due.
  int size() const;
  // When the first of the items that are not due will be.
  std::optional<MonoTime> NextDeadline() const;

 private:
  struct Taken {
    ObjectKey key;
    absl::Duration waited;
    int depth = 0;  // of what is left
  };

  // Whom of the idle workers a change is for.
  struct Call {
    int followers = 0;
    bool watcher = false;
  };

  void AddLocked(const ObjectKey& key, MonoTime due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::optional<Taken> TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WaitLocked(const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WatchLocked(const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FollowLocked(const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // After every change: one for each item that nobody was called for, and one for the clock.
  Call CallLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // After something was put off, while the next item was due at `before`.
  Call CallToClockLocked(std::optional<MonoTime> before) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Wake(const Call& call);
  std::optional<ObjectKey> Report(std::optional<Taken> taken);

  const std::string name_;
  const Clock& clock_;
  const BackoffPolicy backoff_;
  Observer& observer_;

  mutable Mutex mu_;
  // Of the workers that are idle one waits until the next item is due; the others wait to be
  // called.
  CondVar clock_or_call_;
  CondVar call_;
  bool watched_ ABSL_GUARDED_BY(mu_) = false;         // somebody waits for the clock
  bool watcher_called_ ABSL_GUARDED_BY(mu_) = false;  // and is on the way, for an item
  int followers_ ABSL_GUARDED_BY(mu_) = 0;            // who wait to be called
  int called_ ABSL_GUARDED_BY(mu_) = 0;               // how many of them are on the way
  // Everything in order_ is dirty and not processing; with it, when it was due.
  std::deque<std::pair<ObjectKey, MonoTime>> order_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<ObjectKey> dirty_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<ObjectKey> processing_ ABSL_GUARDED_BY(mu_);
  DelayHeap delayed_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ObjectKey, int> failures_ ABSL_GUARDED_BY(mu_);
  std::minstd_rand random_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::kube
