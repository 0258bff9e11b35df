// Which change wakes whom: the handlers of ticket-svc's informers.
//
//   tickets.OnChange([&](auto* was, auto* is) { wake_ups.OnTicket(was, is); });
//
// Tickets are worked on one by one, waiting pods by namespace, handoffs by node.
#pragma once

#include <string>

#include "kube/controller.h"
#include "ticket-svc/fence.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/node_locks.h"
#include "ticket-svc/scheduler_pulse.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe.
class WakeUps {
 public:
  struct Controllers {
    kube::Controller& tickets;
    kube::Controller& claims;
    kube::Controller& handoffs;
  };

  // Borrows everything.
  WakeUps(World& world, NodeLocks& locks, Fences& fences, SchedulerPulse& pulse, Metrics& metrics,
          Controllers controllers)
      : world_(world),
        locks_(locks),
        fences_(fences),
        pulse_(pulse),
        metrics_(metrics),
        tickets_(controllers.tickets),
        claims_(controllers.claims),
        handoffs_(controllers.handoffs) {}

  void OnTicket(const GuardedTicket* was, const GuardedTicket* is);
  // Guardians, and fences.
  void OnGuardian(const OwnPod* was, const OwnPod* is);
  void OnClaimPod(const api::Pod* was, const api::Pod* is);
  void OnNode(const api::Node* was, const api::Node* is);
  // When leadership begins, or the clock was set.
  void Everything();
  // The scheduler has answered, or another one has taken over.
  void AllHandoffs();
  // No handoff is left on the node.
  void NodeFreed(const std::string& node);

 private:
  void WakeClaims(const std::string& ns);
  // Whoever works on the ticket.
  void WakeTicket(const GuardedTicket& ticket);

  World& world_;
  NodeLocks& locks_;
  Fences& fences_;
  SchedulerPulse& pulse_;
  Metrics& metrics_;
  kube::Controller& tickets_;
  kube::Controller& claims_;
  kube::Controller& handoffs_;
};

}  // namespace korder::ticket
