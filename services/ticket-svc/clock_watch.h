// Notices that somebody set the clock: then deadlines that were turned into delays are wrong.
//
//   ClockWatch watch(clock.Now(), clock.Mono());
//   if (watch.Stepped(clock.Now(), clock.Mono())) { ... look at everything again ... }
//
// Not thread-safe.
#pragma once

#include "absl/time/time.h"
#include "base/clock.h"

namespace korder::ticket {

// How often to ask, for a ticket to expire in time.
inline constexpr absl::Duration kClockWatchPeriod = absl::Milliseconds(500);

class ClockWatch {
 public:
  ClockWatch(absl::Time now, MonoTime mono) : now_(now), mono_(mono) {}

  // True when the wall clock has gone another way than time since the last call.
  bool Stepped(absl::Time now, MonoTime mono) {
    const absl::Duration by = (now - now_) - absl::FromChrono(mono - mono_);
    now_ = now;
    mono_ = mono;
    return absl::AbsDuration(by) > absl::Milliseconds(200);
  }

 private:
  absl::Time now_;
  MonoTime mono_;
};

}  // namespace korder::ticket
