#include "base/pause.h"

#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace korder {

bool Pause(absl::Duration duration, std::stop_token stop) {
  Mutex mu;
  CondVar never_signalled;
  const MutexLock lock(mu);
  never_signalled.WaitUntil(mu, stop, SteadyNow() + absl::ToChronoNanoseconds(duration),
                            [] { return false; });
  return !stop.stop_requested();
}

}  // namespace korder
