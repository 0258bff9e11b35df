// The status of a Ticket in each of its states, as pure functions: each returns the whole status,
// based on the one before, so that what stays the same stays and conditions keep their times.
//
//   plan.actions.push_back(WriteStatus{PendingStatus(ticket, kReasonQuotaDenied, why, now)});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/core/pod.h"
#include "api/v1alpha1/ticket.h"
#include "ticket-svc/guarded_ticket.h"
#include "ticket-svc/own_pod.h"

namespace korder::ticket {

api::TicketStatus PendingStatus(const GuardedTicket& ticket, std::string_view reason,
                                std::string message, absl::Time now);

// The guardian holds the room. The first time, the window is set.
api::TicketStatus ReadyStatus(const GuardedTicket& ticket, const OwnPod& guardian,
                              int32_t incarnation, absl::Time now);

// The window ends later than it did, or (infinite) not at all. Else the ticket stays as it is.
api::TicketStatus ProlongedStatus(const GuardedTicket& ticket, absl::Time end, absl::Time now);

// The intent of a handoff: from this write on the room is promised to `pod`, and nobody may count
// on it: the ticket is Claimed, and has a handoff until the pod is bound.
api::TicketStatus AssignedStatus(const GuardedTicket& ticket, const api::Pod& pod,
                                 api::TicketHandoff handoff, absl::Time now);

// The handoff is undone, the guardian still holds the room.
api::TicketStatus ReturnedStatus(const GuardedTicket& ticket, absl::Time now);

api::TicketStatus ClaimedStatus(const GuardedTicket& ticket, const api::Pod& pod, absl::Time now);

// The handoff is over, and neither guardian nor pod has the room.
api::TicketStatus LostStatus(const GuardedTicket& ticket, std::string message, absl::Time now);

// REQUIRES: IsFinished(phase).
api::TicketStatus FinishedStatus(const GuardedTicket& ticket, api::TicketPhase phase,
                                 std::string_view reason, std::string message, absl::Time now);

// The window is about to end.
api::TicketStatus ExpiringStatus(const GuardedTicket& ticket, absl::Time now);

// Requests of the pod divided by the room held, for the resource that is used least: "0.80".
std::string UtilizationRate(const GuardedTicket& ticket, const api::Pod& pod);

}  // namespace korder::ticket
