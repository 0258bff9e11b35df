// What ticket-svc does while it leads: four queues with their reconcilers, and what wakes which.
//
//   LeaderWork work({leader_client, world, charges, disturbance, events, metrics, clock},
//                   {.fence_namespace = "korder-system", .guardian = guardian, ...});
//   tickets.OnChange([&](auto* was, auto* is) { work.wake_ups().OnTicket(was, is); });
//   manager.AddWhileLeading("controllers", [&](std::stop_token s, int64_t) { work.Run(s); });
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "ticket-svc/charges.h"
#include "ticket-svc/claim_reconciler.h"
#include "ticket-svc/disturbance.h"
#include "ticket-svc/fence.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/guardian_traffic.h"
#include "ticket-svc/handoff_options.h"
#include "ticket-svc/handoff_reconciler.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/node_locks.h"
#include "ticket-svc/reconciler.h"
#include "ticket-svc/scheduler_pulse.h"
#include "ticket-svc/wake_ups.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe.
class LeaderWork {
 public:
  struct Parts {
    kube::Client& client;  // that writes only while this process leads
    World& world;
    Charges& charges;
    Disturbance& disturbance;
    kube::EventRecorder& events;
    Metrics& metrics;
    const Clock& clock;
  };
  struct Options {
    std::string fence_namespace;
    GuardianOptions guardian;
    absl::Duration node_grace;
    ClaimRules claims;
    HandoffOptions handoffs;
    int ticket_workers = 1;   // tickets worked on at the same time
    int handoff_workers = 1;  // nodes
  };

  // Borrows all parts.
  LeaderWork(const Parts& parts, const Options& options);
  LeaderWork(const LeaderWork&) = delete;
  LeaderWork& operator=(const LeaderWork&) = delete;

  // For the informers.
  WakeUps& wake_ups() { return wake_ups_; }
  std::vector<std::string> QueueNames() const;
  // quota-svc can be asked again: so the tickets that had to wait for it ask now.
  void RetryFailedTickets() { tickets_.RetryFailed(); }
  // Forgets what it knew from an earlier term, looks at everything, and works until stop.
  void Run(std::stop_token stop);

 private:
  GuardianTraffic traffic_;
  SchedulerPulse pulse_;
  NodeLocks locks_;
  Fences fences_;
  Reconciler ticket_reconciler_;
  HandoffReconciler handoff_reconciler_;
  ClaimReconciler claim_reconciler_;
  kube::Controller tickets_;
  kube::Controller fence_queue_;
  kube::Controller handoffs_;
  kube::Controller claims_;
  WakeUps wake_ups_;
};

}  // namespace korder::ticket
