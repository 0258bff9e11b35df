#include "ticket-svc/wake_ups.h"

#include <tuple>

#include "api/v1alpha1/names.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/claim_reconciler.h"
#include "ticket-svc/handoff_reconciler.h"

namespace korder::ticket {
namespace {

bool IsReady(const GuardedTicket* ticket) {
  return ticket != nullptr && ticket->status.phase == api::TicketPhase::kReady;
}

bool IsBound(const OwnPod* pod) { return pod != nullptr && ticket::IsBound(*pod); }

// A pod that could not have the ticket may have it now.
bool BecameClaimable(const GuardedTicket* was, const GuardedTicket* is) {
  return IsReady(is) &&
         (!IsReady(was) || was->status.activation_time != is->status.activation_time ||
          was->status.expiration_time != is->status.expiration_time);
}

// A handoff that `was` had has ended, however.
bool HandoffEnded(const GuardedTicket* was, const GuardedTicket* is) {
  return was != nullptr && was->status.handoff &&
         (is == nullptr || !is->status.handoff ||
          is->status.handoff->id != was->status.handoff->id);
}

// What decides whether a pod may run on the node; heartbeats do not count.
auto UseOf(const api::Node& node) {
  return std::make_tuple(api::IsReady(node), node.metadata.deleting(), node.spec,
                         node.metadata.labels);
}

}  // namespace

void WakeUps::WakeClaims(const std::string& ns) {
  if (world_.HasWaiting(ns)) {
    claims_.Enqueue(NamespaceKey(ns));
  }
}

void WakeUps::WakeTicket(const GuardedTicket& ticket) {
  tickets_.Enqueue(kube::KeyOf(ticket));
  if (ticket.status.handoff) {
    handoffs_.Enqueue(NodeKey(ticket.status.handoff->node));
  }
}

void WakeUps::NodeFreed(const std::string& node) {
  for (const std::string& ns : locks_.TakeWaiting(node)) {
    claims_.Enqueue(NamespaceKey(ns));
  }
}

void WakeUps::AllHandoffs() {
  for (const TicketPtr& ticket : world_.Handoffs()) {
    handoffs_.Enqueue(NodeKey(ticket->status.handoff->node));
  }
}

void WakeUps::OnTicket(const GuardedTicket* was, const GuardedTicket* is) {
  world_.OnTicket(was, is);
  metrics_.OnTicket(was, is);
  const GuardedTicket& ticket = is != nullptr ? *is : *was;
  WakeTicket(ticket);
  if (HandoffEnded(was, is)) {
    NodeFreed(was->status.handoff->node);
    // The pod may be waiting again.
    WakeClaims(ticket.metadata.ns);
  } else if (BecameClaimable(was, is)) {
    WakeClaims(ticket.metadata.ns);
  }
}

void WakeUps::OnGuardian(const OwnPod* was, const OwnPod* is) {
  pulse_.OnPod(was, is);
  world_.OnGuardian(was, is);
  const OwnPod& pod = is != nullptr ? *is : *was;
  if (IsFence(pod)) {
    fences_.OnPod(was, is);
    return;
  }
  if (pod.owner.ticket.empty()) {
    return;
  }
  const kube::ObjectKey key{pod.metadata.ns, pod.owner.ticket};
  tickets_.Enqueue(key);
  const TicketPtr ticket = world_.Ticket(key);
  if (ticket && ticket->status.handoff) {
    handoffs_.Enqueue(NodeKey(ticket->status.handoff->node));
  }
  // The ticket may have been seen Ready before its guardian was seen on its node.
  if (IsReady(ticket.get()) && IsBound(is) && !IsBound(was)) {
    WakeClaims(key.ns);
  }
}

void WakeUps::OnClaimPod(const api::Pod* was, const api::Pod* is) {
  pulse_.OnPod(was, is);
  world_.OnClaimPod(was, is);
  const api::Pod& pod = is != nullptr ? *is : *was;
  for (const TicketPtr& ticket : world_.TicketsOfPod(kube::KeyOf(pod))) {
    WakeTicket(*ticket);
  }
  if (is != nullptr && IsWaiting(*is)) {
    claims_.Enqueue(NamespaceKey(pod.metadata.ns));
  }
}

void WakeUps::OnNode(const api::Node* was, const api::Node* is) {
  const bool other_use = was == nullptr || is == nullptr || UseOf(*was) != UseOf(*is);
  if (was != nullptr && other_use) {
    for (const TicketPtr& ticket : world_.TicketsOnNode(was->metadata.name)) {
      WakeTicket(*ticket);
    }
  }
  if (is != nullptr && other_use) {
    for (const std::string& ns : world_.WaitingNamespaces()) {
      claims_.Enqueue(NamespaceKey(ns));
    }
  }
}

void WakeUps::Everything() {
  for (const TicketPtr& ticket : world_.Tickets()) {
    WakeTicket(*ticket);
  }
  for (const std::string& ns : world_.WaitingNamespaces()) {
    claims_.Enqueue(NamespaceKey(ns));
  }
}

}  // namespace korder::ticket
