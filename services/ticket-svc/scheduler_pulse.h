// Whether a scheduler is at work, judged by the pods that it owes an answer.
//
// A scheduler that begins anew overlooks, until 1.36, the nomination of a pod whose gate is shut at
// that moment, and nothing tells that one has begun: not every scheduler has a Lease. But for some
// time before, none has answered. So while pods whose gate was opened get no answer, no guardian is
// given up; and what was nominated before the answers came again is nominated anew.
//
//   pulse.Owes("default-scheduler", pod.metadata.uid);      // before its gate is opened
//   pulse.OnPod(was, is);                                   // from the watches
//   if (pulse.Silent("default-scheduler")) { ...ask a fence... }
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "api/core/pod.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "ticket-svc/own_pod.h"

namespace korder::ticket {

// A scheduler that works answers within milliseconds, even when hundreds of pods wait; one that is
// killed is not back for half a second, even if it is started at once. What was begun before the
// silence was noticed must be through by then, so this is short; a scheduler that is only slow is
// asked once more than needed.
inline constexpr absl::Duration kSchedulerPatience = absl::Milliseconds(150);
// For a release whose last look is done: that takes time, and whoever asked the scheduler again
// each time might never be through.
inline constexpr absl::Duration kSchedulerLastPatience = absl::Milliseconds(300);
// A pod that has no answer for so long, while others have, waits for something else.
inline constexpr absl::Duration kSchedulerForgives = absl::Seconds(2);

class SchedulerPulse {
 public:
  explicit SchedulerPulse(const Clock& clock) : clock_(clock) {}

  // The pod is about to be the scheduler's to bind.
  void Owes(const std::string& scheduler, const std::string& uid);
  // It is not, after all.
  void Forgive(const std::string& scheduler, const std::string& uid);
  // The informers' handlers. To be called before what the pod tells is used otherwise.
  void OnPod(const api::Pod* was, const api::Pod* is);
  void OnPod(const OwnPod* was, const OwnPod* is);

  // It has owed an answer for so long, and nobody has had one since.
  bool Silent(const std::string& scheduler, absl::Duration patience = kSchedulerPatience) const;
  // How often it was heard again after it had been silent.
  uint64_t Revivals(const std::string& scheduler) const;

 private:
  struct Line {
    std::map<std::string, MonoTime> owed;  // by the pod's UID: since when
    MonoTime heard{};
    uint64_t revivals = 0;
  };

  template <class Pod>
  void Hear(const Pod* was, const Pod* is);
  static bool IsSilent(const Line& line, MonoTime now, absl::Duration patience);

  const Clock& clock_;
  mutable Mutex mu_;
  std::map<std::string, Line> lines_ ABSL_GUARDED_BY(mu_);  // by scheduler
};

}  // namespace korder::ticket
