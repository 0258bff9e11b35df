// A clock that a test moves by hand. Thread-safe.
#pragma once

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace korder {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'800'000'000)) : now_(now) {}

  absl::Time Now() const override {
    const MutexLock lock(mu_);
    return now_;
  }
  MonoTime Mono() const override {
    const MutexLock lock(mu_);
    return mono_;
  }
  // Both clocks go on, as real time does.
  void Advance(absl::Duration by) {
    const MutexLock lock(mu_);
    now_ += by;
    mono_ += absl::ToChronoNanoseconds(by);
  }
  // Only the wall clock jumps, as when somebody sets it.
  void StepWall(absl::Duration by) {
    const MutexLock lock(mu_);
    now_ += by;
  }

 private:
  mutable Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  MonoTime mono_ ABSL_GUARDED_BY(mu_) = MonoTime() + std::chrono::hours(1);
};

}  // namespace korder
