#include "ticket-svc/world.h"

#include <algorithm>
#include <utility>

#include "ticket-svc/claim_decide.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::ticket {
namespace {

// Names of indexes.
constexpr char kReady[] = "ready";      // tickets: namespace of those that are Ready
constexpr char kHandoff[] = "handoff";  // tickets: "" for those with a handoff
constexpr char kPod[] = "pod";          // tickets: status.claimedPod
constexpr char kNode[] = "node";        // tickets: status.nodeName
constexpr char kOwner[] = "owner";      // guardians: UID of the Ticket
constexpr char kNamespace[] = "namespace";
constexpr char kUnplaced[] = "unplaced";  // guardians: that look for a node
constexpr char kWaiting[] = "waiting";    // claim pods: namespace of those that wait

using Values = kube::IndexValues;

Values If(bool condition, std::string_view value) { return condition ? Values{value} : Values(); }

bool HasHandoff(const GuardedTicket& ticket) { return ticket.status.handoff.has_value(); }

bool LooksForRoom(const OwnPod& pod) {
  return pod.role == OwnRole::kGuardian && !IsBound(pod) && !pod.metadata.deleting() &&
         !IsTerminal(pod);
}

}  // namespace

World::World(Stores stores, const Clock& clock)
    : stores_(stores), tickets_(clock), guardians_(clock), claim_pods_(clock) {
  using api::TicketPhase;
  stores_.tickets.AddIndex(kReady, [](const GuardedTicket& t) {
    return If(t.status.phase == TicketPhase::kReady, t.metadata.ns);
  });
  stores_.tickets.AddIndex(kHandoff, [](const GuardedTicket& t) { return If(HasHandoff(t), ""); });
  stores_.tickets.AddIndex(kPod, [](const GuardedTicket& t) {
    return If(!t.status.claimed_pod().empty(), t.status.claimed_pod());
  });
  stores_.tickets.AddIndex(kNode, [](const GuardedTicket& t) {
    return If(!t.status.node_name.empty(), t.status.node_name);
  });
  stores_.guardians.AddIndex(kUnplaced,
                             [](const OwnPod& pod) { return If(LooksForRoom(pod), ""); });
  stores_.guardians.AddIndex(
      kOwner, [](const OwnPod& pod) { return If(!pod.owner.uid.empty(), pod.owner.uid.Key()); });
  stores_.claim_pods.AddIndex(kNamespace,
                              [](const api::Pod& pod) { return Values{pod.metadata.ns}; });
  stores_.claim_pods.AddIndex(
      kWaiting, [](const api::Pod& pod) { return If(IsWaiting(pod), pod.metadata.ns); });
}

TicketPtr World::Ticket(const kube::ObjectKey& key) const {
  const TicketPtr stored = stores_.tickets.Get(key);
  // We never make tickets: one that the watch does not show is gone.
  return stored ? tickets_.Newest(key, stored) : nullptr;
}

std::vector<TicketPtr> World::TicketsOnNode(const std::string& node) const {
  return stores_.tickets.ByIndex(kNode, node);
}

std::vector<TicketPtr> World::TicketsOfPod(const kube::ObjectKey& pod) const {
  return stores_.tickets.ByIndex(kPod, pod.ToString());
}

std::vector<TicketPtr> World::Handoffs() const {
  std::set<kube::ObjectKey> keys;
  for (const TicketPtr& ticket : stores_.tickets.ByIndex(kHandoff, "")) {
    keys.insert(kube::KeyOf(*ticket));
  }
  for (const TicketPtr& ticket : tickets_.Those(HasHandoff)) {
    keys.insert(kube::KeyOf(*ticket));
  }
  std::vector<TicketPtr> found;
  for (const kube::ObjectKey& key : keys) {
    if (TicketPtr ticket = Ticket(key); ticket && HasHandoff(*ticket)) {
      found.push_back(std::move(ticket));
    }
  }
  return found;
}

std::set<std::string> World::HandoffNodes() const {
  std::set<std::string> nodes;
  for (const TicketPtr& ticket : Handoffs()) {
    nodes.insert(ticket->status.handoff->node);
  }
  return nodes;
}

std::vector<OwnPodPtr> World::UnplacedGuardians() const {
  std::set<kube::ObjectKey> keys;
  for (const OwnPodPtr& pod : stores_.guardians.ByIndex(kUnplaced, "")) {
    keys.insert(kube::KeyOf(*pod));
  }
  for (const OwnPodPtr& pod : guardians_.Those(LooksForRoom)) {
    keys.insert(kube::KeyOf(*pod));
  }
  std::vector<OwnPodPtr> found;
  for (const kube::ObjectKey& key : keys) {
    if (OwnPodPtr pod = Guardian(key); pod && LooksForRoom(*pod)) {
      found.push_back(std::move(pod));
    }
  }
  return found;
}

std::vector<OwnPodPtr> World::GuardiansOf(const GuardedTicket& ticket) const {
  std::vector<OwnPodPtr> found;
  int32_t newest = ticket.status.incarnation;
  for (const OwnPodPtr& stored : stores_.guardians.ByIndex(kOwner, ticket.metadata.uid.Key())) {
    const int32_t incarnation = IncarnationOf(ticket, *stored);
    if (incarnation == 0) {
      continue;
    }
    newest = std::max(newest, incarnation);
    if (OwnPodPtr pod = guardians_.Newest(kube::KeyOf(*stored), stored)) {
      found.push_back(std::move(pod));
    }
  }
  // One that we have just made and the watch has not shown yet: its name is the next one.
  const kube::ObjectKey next{ticket.metadata.ns, GuardianName(ticket.metadata.name, newest + 1)};
  if (OwnPodPtr made = Guardian(next); made && IncarnationOf(ticket, *made) != 0) {
    found.push_back(std::move(made));
  }
  return found;
}

OwnPodPtr World::Guardian(const kube::ObjectKey& key) const {
  return guardians_.Newest(key, stores_.guardians.Get(key));
}

PodPtr World::ClaimPod(const kube::ObjectKey& key) const {
  return claim_pods_.Newest(key, stores_.claim_pods.Get(key));
}

std::vector<PodPtr> World::ClaimPods(const std::string& ns) const {
  std::vector<PodPtr> found;
  for (const PodPtr& stored : stores_.claim_pods.ByIndex(kNamespace, ns)) {
    if (PodPtr pod = claim_pods_.Newest(kube::KeyOf(*stored), stored)) {
      found.push_back(std::move(pod));
    }
  }
  return found;
}

bool World::HasWaiting(const std::string& ns) const {
  return !stores_.claim_pods.ByIndex(kWaiting, ns).empty();
}

std::set<std::string> World::WaitingNamespaces() const {
  std::set<std::string> found;
  for (const PodPtr& pod : stores_.claim_pods.List()) {
    if (IsWaiting(*pod)) {
      found.insert(pod->metadata.ns);
    }
  }
  return found;
}

NodePtr World::Node(const std::string& name) const { return stores_.nodes.Get({"", name}); }

std::vector<Room> World::Rooms(const std::string& ns) const {
  std::vector<Room> rooms;
  for (const TicketPtr& stored : stores_.tickets.ByIndex(kReady, ns)) {
    TicketPtr ticket = tickets_.Newest(kube::KeyOf(*stored), stored);
    if (!ticket || ticket->status.phase != api::TicketPhase::kReady) {
      continue;
    }
    OwnPodPtr guardian = Guardian(GuardianKey(*ticket));
    if (guardian && IncarnationOf(*ticket, *guardian) == 0) {
      guardian = nullptr;
    }
    NodePtr node = Node(ticket->status.node_name);
    rooms.push_back({std::move(ticket), std::move(guardian), std::move(node)});
  }
  return rooms;
}

}  // namespace korder::ticket
