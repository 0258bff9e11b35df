// Keeps guardians that look for room apart from room that passes on.
//
// A guardian outranks most pods, and the scheduler lets a pod ignore the nominations of those that
// it outranks: a guardian still without a node would take what is released for somebody else, and
// korder would rob itself. So a guardian made while handoffs are under way avoids their nodes
// (AvoidNodes), and one made before that has not found its place steps aside: it holds nothing, so
// it is deleted before the handoff begins, and its ticket makes another one later.
//
//   const auto making = traffic.Begin();        // before the handoffs are looked at
//   avoid = ...; client.Create(GuardianPod(ticket, 1, options, avoid)); world.Wrote(...);
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "api/core/node.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "ticket-svc/observed.h"

namespace korder::ticket {

// Whether a guardian without a node might take room on `node` that is meant for `pod`. Pure.
bool MightTake(const api::Pod& guardian, const api::Pod& pod, const api::Node& node);

class GuardianTraffic {
 public:
  // A guardian is being made, as long as this lives. Until its end nobody can know whether the pod
  // is there. REQUIRES: does not outlive the traffic.
  class Making {
   public:
    explicit Making(GuardianTraffic& traffic);
    ~Making();
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

   private:
    GuardianTraffic& traffic_;
    const uint64_t number_;
  };

  explicit GuardianTraffic(const Clock& clock) : clock_(clock) {}

  // A moment, and whether everything that was being made then is made or has failed.
  uint64_t Moment() const;
  bool AllMadeBefore(uint64_t moment) const;

  // The ticket's guardian had to go before it found room: each time the ticket waits longer before
  // it tries again.
  void SteppedAside(const std::string& ticket_uid);
  // What is left of that wait; zero for tickets that never had to.
  absl::Duration HoldBack(const std::string& ticket_uid) const;
  // The ticket has room, or is gone.
  void Forget(const std::string& ticket_uid);

 private:
  struct Turn {
    int times = 0;
    MonoTime next{};
  };

  const Clock& clock_;
  mutable Mutex mu_;
  uint64_t next_ ABSL_GUARDED_BY(mu_) = 1;
  std::set<uint64_t> making_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Turn> turns_ ABSL_GUARDED_BY(mu_);  // by the ticket's UID
};

}  // namespace korder::ticket
