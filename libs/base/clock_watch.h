// Notices that somebody set the clock: then deadlines that were turned into delays are wrong.
//
//   manager.AddBackground("clock", [&](std::stop_token stop) {
//     WatchClock(clock, [&] { ... look at everything again ... }, stop);
//   });
#pragma once

#include <functional>
#include <stop_token>

#include "absl/time/time.h"
#include "base/clock.h"

namespace korder {

// Not thread-safe.
class ClockWatch {
 public:
  ClockWatch(absl::Time now, MonoTime mono) : now_(now), mono_(mono) {}

  // True when the wall clock has gone another way than time since the last call, by more than 200
  // ms.
  bool Stepped(absl::Time now, MonoTime mono);

 private:
  absl::Time now_;
  MonoTime mono_;
};

// Calls `stepped` within half a second whenever the clock was set, until stop. Blocks.
void WatchClock(const Clock& clock, const std::function<void()>& stepped, std::stop_token stop);

}  // namespace korder
