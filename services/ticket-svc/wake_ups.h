// Which change wakes whom: the handlers of ticket-svc's informers.
//
//   tickets.OnChange([&](auto* was, auto* is) { wake_ups.OnTicket(was, is); });
//
// Tickets are worked on one by one, waiting pods by namespace.
#pragma once

#include <string>

#include "kube/controller.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/node_locks.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe.
class WakeUps {
 public:
  // Borrows everything.
  WakeUps(World& world, NodeLocks& locks, Metrics& metrics, kube::Controller& tickets,
          kube::Controller& claims)
      : world_(world), locks_(locks), metrics_(metrics), tickets_(tickets), claims_(claims) {}

  void OnTicket(const api::Ticket* was, const api::Ticket* is);
  void OnGuardian(const api::Pod* was, const api::Pod* is);
  void OnClaimPod(const api::Pod* was, const api::Pod* is);
  void OnNode(const api::Node* was, const api::Node* is);
  // When leadership begins, or the clock was set.
  void Everything();

 private:
  void WakeClaims(const std::string& ns);

  World& world_;
  NodeLocks& locks_;
  Metrics& metrics_;
  kube::Controller& tickets_;
  kube::Controller& claims_;
};

}  // namespace korder::ticket
