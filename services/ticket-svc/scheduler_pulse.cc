#include "ticket-svc/scheduler_pulse.h"

#include <algorithm>

namespace korder::ticket {
namespace {

const std::string& SchedulerOf(const api::Pod& pod) { return pod.spec.scheduler_name; }
const std::string& SchedulerOf(const OwnPod& pod) { return pod.ask->scheduler_name; }

const api::PodCondition* RefusalOf(const api::Pod& pod) { return api::Unschedulable(pod); }
const api::PodCondition* RefusalOf(const OwnPod& pod) {
  return pod.unschedulable ? &*pod.unschedulable : nullptr;
}

// The scheduler has just said something of the pod. What a watch begins with is old.
template <class Pod>
bool Answered(const Pod& was, const Pod& is) {
  if (IsBound(is) != IsBound(was)) {
    return true;
  }
  const api::PodCondition* refusal = RefusalOf(is);
  const api::PodCondition* before = RefusalOf(was);
  return refusal != nullptr && (before == nullptr || !(*before == *refusal));
}

}  // namespace

void SchedulerPulse::Owes(const std::string& scheduler, const std::string& uid) {
  const MutexLock lock(mu_);
  lines_[scheduler].owed.emplace(uid, clock_.Mono());
}

void SchedulerPulse::Forgive(const std::string& scheduler, const std::string& uid) {
  const MutexLock lock(mu_);
  lines_[scheduler].owed.erase(uid);
}

void SchedulerPulse::OnPod(const api::Pod* was, const api::Pod* is) { Hear(was, is); }

void SchedulerPulse::OnPod(const OwnPod* was, const OwnPod* is) { Hear(was, is); }

template <class Pod>
void SchedulerPulse::Hear(const Pod* was, const Pod* is) {
  const Pod& pod = is != nullptr ? *is : *was;
  const MutexLock lock(mu_);
  Line& line = lines_[SchedulerOf(pod)];
  if (was != nullptr && is != nullptr && Answered(*was, *is)) {
    const MonoTime now = clock_.Mono();
    line.revivals += IsSilent(line, now, kSchedulerPatience) ? 1U : 0U;
    line.heard = now;
    // It works; a pod that still has no answer waits for a volume, perhaps. Not so soon that an
    // answer from before its end, on its way to here for long, would excuse it.
    std::erase_if(line.owed, [&](const auto& debt) {
      return absl::FromChrono(now - debt.second) >= kSchedulerForgives;
    });
  }
  if (is == nullptr || is->metadata.deleting() || IsBound(*is) || RefusalOf(*is) != nullptr) {
    line.owed.erase(pod.metadata.uid);
  }
}

bool SchedulerPulse::Silent(const std::string& scheduler, absl::Duration patience) const {
  const MutexLock lock(mu_);
  const auto it = lines_.find(scheduler);
  return it != lines_.end() && IsSilent(it->second, clock_.Mono(), patience);
}

uint64_t SchedulerPulse::Revivals(const std::string& scheduler) const {
  const MutexLock lock(mu_);
  const auto it = lines_.find(scheduler);
  return it == lines_.end() ? 0 : it->second.revivals;
}

bool SchedulerPulse::IsSilent(const Line& line, MonoTime now, absl::Duration patience) {
  return std::any_of(line.owed.begin(), line.owed.end(), [&](const auto& debt) {
    return absl::FromChrono(now - std::max(debt.second, line.heard)) >= patience;
  });
}

}  // namespace korder::ticket
