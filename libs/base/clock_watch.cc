#include "base/clock_watch.h"

#include "base/log.h"
#include "base/pause.h"

namespace korder {
namespace {

// Short enough for what ends at a time of the clock to end less than a second late.
constexpr absl::Duration kPeriod = absl::Milliseconds(500);
// More than an NTP daemon corrects at once.
constexpr absl::Duration kLeastStep = absl::Milliseconds(200);

}  // namespace

bool ClockWatch::Stepped(absl::Time now, MonoTime mono) {
  const absl::Duration by = (now - now_) - absl::FromChrono(mono - mono_);
  now_ = now;
  mono_ = mono;
  return absl::AbsDuration(by) > kLeastStep;
}

void WatchClock(const Clock& clock, const std::function<void()>& stepped, std::stop_token stop) {
  ClockWatch watch(clock.Now(), clock.Mono());
  while (Pause(kPeriod, stop)) {
    if (watch.Stepped(clock.Now(), clock.Mono())) {
      log::Info("the clock was set; looking at everything again");
      stepped();
    }
  }
}

}  // namespace korder
