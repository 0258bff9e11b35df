// std::mutex with clang's thread-safety annotations. absl::Mutex is not used because the
// distribution's Abseil is not built for ThreadSanitizer and reports races that are none.
//
//   class Counter {
//     mutable Mutex mu_;
//     int value_ ABSL_GUARDED_BY(mu_) = 0;
//   };
//
// Rules: one mutex per class, taken in public methods only; never call a client, a callback or the
// log while holding it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/host.h"
#include "base/mono_time.h"

namespace korder {

class ABSL_LOCKABLE Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

 private:
  std::mutex mu_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_.lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// A condition variable whose every wait ends on a stop request.
class CondVar {
 public:
  void NotifyOne() {
    if (Host* host = SimulatedHost()) {
      return host->WakeOne(this);
    }
    cv_.notify_one();
  }
  void NotifyAll() {
    if (Host* host = SimulatedHost()) {
      return host->WakeAll(this);
    }
    cv_.notify_all();
  }

  // Blocks until pred() holds or stop is requested; returns pred(). REQUIRES: mu is held.
  template <class Pred>
  bool Wait(Mutex& mu, std::stop_token stop, Pred pred) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (Host* host = SimulatedHost()) {
      return WaitOn(*host, mu, stop, MonoTime::max(), pred);
    }
    return cv_.wait(mu, std::move(stop), std::move(pred));
  }

  // As Wait, but also ends at `deadline`, which is a time of the steady clock (SteadyNow).
  template <class Pred>
  bool WaitUntil(Mutex& mu, std::stop_token stop, MonoTime deadline, Pred pred)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (Host* host = SimulatedHost()) {
      return WaitOn(*host, mu, stop, deadline, pred);
    }
    return cv_.wait_until(mu, std::move(stop), deadline, std::move(pred));
  }

 private:
  // Not analysed: a predicate names the mutex as its caller does, which is not known here by that
  // name. The analysis passes over the standard library's waits for the same reason.
  template <class Pred>
  bool WaitOn(Host& host, Mutex& mu, const std::stop_token& stop, MonoTime deadline,
              Pred& pred) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (!pred()) {
      if (stop.stop_requested() || host.Mono() >= deadline) {
        return pred();
      }
      mu.unlock();
      host.Wait(this, deadline, stop);
      mu.lock();
    }
    return true;
  }

  std::condition_variable_any cv_;
};

}  // namespace korder
