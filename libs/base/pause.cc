#include "base/pause.h"

#include <chrono>
#include <utility>

#include "base/mutex.h"

namespace korder {

bool Pause(absl::Duration duration, std::stop_token stop) {
  Mutex mu;
  CondVar never_signalled;
  const MutexLock lock(mu);
  never_signalled.WaitUntil(mu, stop,
                            std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration),
                            [] { return false; });
  return !stop.stop_requested();
}

}  // namespace korder
