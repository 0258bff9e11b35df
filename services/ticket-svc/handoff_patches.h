// The patches by which ticket-svc changes business pods, as pure functions of the pod that was
// read: every corner is tested as text.
//
//   const PodPatch patch = NominatePatch(pod, ticket);
//   client.Patch<api::Pod>(KeyOf(pod), patch.options, patch.body);
//
// All of them but LostPatch carry the pod's resourceVersion: a pod that changed since is read again
// before anything is decided about it.
#pragma once

#include <string>

#include "api/core/pod.h"
#include "kube/request.h"
#include "ticket-svc/guarded_ticket.h"

namespace korder::ticket {

struct PodPatch {
  kube::PatchOptions options;
  std::string body;
};

// Nominates the pod to the handoff's node and marks it with the handoff, in one write. An ungated
// pod gets another mark each time, because the scheduler looks again only at a pod that changed.
// REQUIRES: ticket.status.handoff.
PodPatch NominatePatch(const api::Pod& pod, const GuardedTicket& ticket);

// Marks the pod with the handoff and nominates it to nothing.
// REQUIRES: ticket.status.handoff.
PodPatch MarkPatch(const api::Pod& pod, const GuardedTicket& ticket);

// Takes nomination and mark away: the pod waits as before.
PodPatch ResetPatch(const api::Pod& pod);

// Opens the gate and notes the ticket. With `pin`, the pod may run on the handoff's node only.
// REQUIRES: ticket.status.handoff, the pod has our gate.
PodPatch UngatePatch(const api::Pod& pod, const GuardedTicket& ticket, bool pin);

// Opens the gate of a pod that got no ticket.
PodPatch FallbackPatch(const api::Pod& pod);

// Notes on an ungated pod that it did not get the room it was promised.
PodPatch LostPatch(const api::Pod& pod);

}  // namespace korder::ticket
