#include "kube/leader_elector.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "base/thread.h"

namespace korder::kube {
namespace {

// Waits until stop or for `delay` of real time.
void Pause(std::stop_token stop, std::chrono::nanoseconds delay) {
  Mutex mu;
  CondVar cv;
  const MutexLock lock(mu);
  cv.WaitUntil(mu, std::move(stop), SteadyNow() + delay, [] { return false; });
}

void Guarded(const LeaderElector::WhileLeading& lead, std::stop_token leading, int64_t epoch) {
  try {
    lead(std::move(leading), epoch);
  } catch (const std::exception& e) {
    log::Error("what ran while leading ended with an exception", {{"error", e.what()}});
  } catch (...) {
    log::Error("what ran while leading ended with an exception of an unknown type");
  }
}

}  // namespace

LeaderElector::LeaderElector(Client& client, const Clock& clock, LeaderElectionOptions options)
    : client_(client), clock_(clock), options_(std::move(options)) {}

void LeaderElector::Run(std::stop_token stop, const WhileLeading& lead) {
  LeaseCandidate candidate(client_, clock_, options_);
  while (!stop.stop_requested()) {
    candidate.Turn(stop);
    if (!candidate.leading()) {
      Pause(stop, candidate.NextTurn() - clock_.Mono());
      continue;
    }
    Lead(candidate, stop, lead);
    candidate.Release();
    Pause(stop, absl::ToChronoNanoseconds(options_.retry_period));
  }
  candidate.Release();
}

void LeaderElector::Lead(LeaseCandidate& candidate, std::stop_token stop,
                         const WhileLeading& lead) {
  const int64_t epoch = candidate.epoch();
  log::Info("lease acquired", {{"lease", options_.name}, {"epoch", epoch}});
  leads_until_.store(candidate.LeadsUntil(), std::memory_order_release);
  Tell(true);
  std::stop_source leading;
  std::stop_source ended;
  const std::stop_callback forward(std::move(stop), [&leading] { leading.request_stop(); });
  Thread work([&] {
    Guarded(lead, leading.get_token(), epoch);
    ended.request_stop();
  });
  // Goes on after a stop request: as long as the work winds up, nobody else may begin.
  const std::stop_token over = ended.get_token();
  while (candidate.leading()) {
    Pause(over, candidate.NextTurn() - clock_.Mono());
    if (over.stop_requested()) {
      break;
    }
    candidate.Turn(over);
    if (candidate.leading()) {
      leads_until_.store(candidate.LeadsUntil(), std::memory_order_release);
    }
  }
  if (!candidate.leading()) {
    leads_until_.store(MonoTime::min(), std::memory_order_release);
    log::Warn("lease lost", {{"lease", options_.name}, {"epoch", epoch}});
  }
  Tell(false);
  leading.request_stop();
  work.Join();
  // On a stop only now: the lease is held for the work's last writes.
  leads_until_.store(MonoTime::min(), std::memory_order_release);
}

void LeaderElector::Tell(bool leading) { client_.observer().Leading(options_.name, leading); }

}  // namespace korder::kube
