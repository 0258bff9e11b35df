// The only way to ask for the time. Shells own a Clock&; pure code takes `now` as an argument.
//
//   const absl::Time now = clock.Now();            // what a calendar shows; may step
//   const MonoTime deadline = clock.Mono() + 5s;   // for timeouts and back-off; never steps
#pragma once

#include "absl/time/time.h"
#include "base/mono_time.h"

namespace korder {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  virtual MonoTime Mono() const = 0;
};

// The steady clock of the machine. For waits, which take real time even where a test's Clock stands
// still; everything else asks a Clock.
MonoTime SteadyNow();

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  MonoTime Mono() const override;
};

}  // namespace korder
