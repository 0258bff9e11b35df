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
// killed is not back within this time.
inline constexpr absl::Duration kSchedulerPatience = absl::Milliseconds(300);

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

  // It owes an answer, and nobody has had one since.
  bool Silent(const std::string& scheduler) const;
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
  bool IsSilent(const Line& line, MonoTime now) const;

  const Clock& clock_;
  mutable Mutex mu_;
  std::map<std::string, Line> lines_ ABSL_GUARDED_BY(mu_);  // by scheduler
};

}  // namespace korder::ticket
