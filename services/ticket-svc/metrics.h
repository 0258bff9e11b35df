// Metrics of ticket-svc beside those of libs/runtime.
#pragma once

#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "base/mono_time.h"
#include "ticket-svc/guarded_ticket.h"
#include "ticket-svc/handoff_step.h"

namespace prometheus {
class Registry;
}

namespace korder::ticket {

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  // An informer's handler: `was` is null for a new ticket, `is` for a removed one.
  void OnTicket(const GuardedTicket* was, const GuardedTicket* is);
  void GuardianCreated(std::string_view ns);
  // From the ticket's creation until its first guardian held the room.
  void BecameReady(absl::Duration waited);
  // Counts the room that Ready tickets held idle since the last call; the first only begins. To be
  // called by the leader now and then, so that replicas do not count twice.
  void CountIdle(MonoTime now);
  // The next CountIdle begins anew: somebody else may have counted meanwhile.
  void StopIdle();
  // `act` is how it ended: kClaimed, kAbort, kMissed or kLost.
  void HandoffEnded(HandoffAct act, HandoffReason reason, absl::Duration took);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::ticket
