// Everything that ticket-svc knows of the cluster: what its watches have shown and what its own
// writes returned, whichever is newer.
//
//   World world({tickets.store(), guardians.store(), claim_pods.store(), nodes.store()}, clock);
//   for (const PodPtr& guardian : world.GuardiansOf(*ticket)) { ... }
//
// Thread-safe.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/store.h"
#include "ticket-svc/claim_fit.h"
#include "ticket-svc/observed.h"
#include "ticket-svc/recent.h"

namespace korder::ticket {

class World {
 public:
  // `guardians` holds the pods with the role of a guardian, `claim_pods` those with the label
  // korder.dev/claim.
  struct Stores {
    kube::Store<GuardedTicket>& tickets;
    kube::Store<OwnPod>& guardians;
    kube::Store<api::Pod>& claim_pods;
    kube::Store<api::Node>& nodes;
  };

  // Borrows everything; adds the indexes. REQUIRES: the stores are empty.
  World(Stores stores, const Clock& clock);

  TicketPtr Ticket(const kube::ObjectKey& key) const;
  std::vector<TicketPtr> Tickets() const { return stores_.tickets.List(); }
  // Tickets as the watch has shown them, for waking their controller.
  std::vector<TicketPtr> TicketsOnNode(const std::string& node) const;
  std::vector<TicketPtr> TicketsOfPod(const kube::ObjectKey& pod) const;
  // Tickets with a handoff under way, in all namespaces.
  std::vector<TicketPtr> Handoffs() const;

  // The nodes where they are.
  std::set<std::string> HandoffNodes() const;

  // Pods with the role of a guardian that look for a node.
  std::vector<OwnPodPtr> UnplacedGuardians() const;
  // Pods that really are the ticket's guardians (guardian_pod.h).
  std::vector<OwnPodPtr> GuardiansOf(const GuardedTicket& ticket) const;
  OwnPodPtr Guardian(const kube::ObjectKey& key) const;
  PodPtr ClaimPod(const kube::ObjectKey& key) const;
  std::vector<PodPtr> ClaimPods(const std::string& ns) const;
  // Whether a pod of the namespace waits for a ticket; and all such namespaces.
  bool HasWaiting(const std::string& ns) const;
  std::set<std::string> WaitingNamespaces() const;
  NodePtr Node(const std::string& name) const;

  // The Ready tickets of a namespace with what backs them.
  std::vector<Room> Rooms(const std::string& ns) const;

  TicketPtr Wrote(GuardedTicket ticket) { return tickets_.Wrote(std::move(ticket)); }
  OwnPodPtr Wrote(OwnPod guardian) { return guardians_.Wrote(std::move(guardian)); }
  void DeletedGuardian(const kube::ObjectKey& key, const std::string& uid) {
    guardians_.Deleted(key, uid);
  }
  PodPtr Wrote(api::Pod pod) { return claim_pods_.Wrote(std::move(pod)); }

  // Informers' handlers; to be called before any other.
  void OnTicket(const GuardedTicket* was, const GuardedTicket* is) { tickets_.OnChange(was, is); }
  void OnGuardian(const OwnPod* was, const OwnPod* is) { guardians_.OnChange(was, is); }
  void OnClaimPod(const api::Pod* was, const api::Pod* is) { claim_pods_.OnChange(was, is); }

 private:
  Stores stores_;
  Recent<GuardedTicket> tickets_;
  Recent<OwnPod> guardians_;
  Recent<api::Pod> claim_pods_;
};

}  // namespace korder::ticket
