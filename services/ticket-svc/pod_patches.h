// The patches that ticket-svc makes on a business pod. Pure: text in, text out.
//
//   client.Patch<api::Pod>(key, {.type = kStrategicMerge}, UngatePatch(pod, ticket, ...));
#pragma once

#include <string>
#include <string_view>

#include "api/core/pod.h"
#include "api/v1alpha1/ticket.h"

namespace korder::ticket {

// Merge patch of the status subresource, guarded by the pod's resourceVersion: nominates the pod to
// the handoff's node and marks it. A mark that is there already gets a counter, because the
// scheduler takes a nomination anew only from a pod that changed.
std::string NominatePatch(const api::Pod& pod, const api::Ticket& ticket);

// Merge patch of the status subresource that takes nomination and mark away again.
std::string ClearNominationPatch(const api::Pod& pod);

// Strategic merge patch that opens our gate and says who got what. With `pin_to` the pod may run on
// that node only: the name is added to every required term, because one term without it would do.
std::string UngatePatch(const api::Pod& pod, const api::Ticket& ticket, std::string_view pin_to);

// Strategic merge patch that opens our gate without a ticket.
std::string FallbackPatch();

}  // namespace korder::ticket
