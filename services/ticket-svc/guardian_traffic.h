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
bool MightTake(const OwnPod& guardian, const api::Pod& pod, const api::Node& node);

// The tickets of an order, one line per node that they are pinned to. Pure.
std::string LineOf(const GuardedTicket& ticket);

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

  // Tickets that ask for the same room in the same places share a line (LineOf): when a guardian of
  // one has stepped aside, one of them at a time looks for room again, after longer and longer
  // waits, until one has found it.
  void SteppedAside(const std::string& line);
  // Until the next one may look; zero when nobody stands in the line.
  absl::Duration HoldBack(const std::string& line) const;
  // Whether the caller may look now. Who may not asks again later.
  bool TakeTurn(const std::string& line);
  void FoundRoom(const std::string& line);

  // Whether the caller is to delete the guardian; nobody else is until Cleared.
  bool BeginClearing(const std::string& guardian_uid);
  void Cleared(const std::string& guardian_uid);

 private:
  struct Line {
    int times = 0;
    MonoTime next{};
  };

  const Clock& clock_;
  mutable Mutex mu_;
  uint64_t next_ ABSL_GUARDED_BY(mu_) = 1;
  std::set<uint64_t> making_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Line> lines_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> clearing_ ABSL_GUARDED_BY(mu_);  // guardians' UIDs
};

}  // namespace korder::ticket
