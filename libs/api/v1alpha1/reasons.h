// Condition types, their reasons, and the reasons of events. One vocabulary for conditions, events,
// metrics and tests.
//
//   events.Normal(RefTo(ticket), kEventTicketReady, "guardian web-0-g1 holds the room on node-3");
#pragma once

#include <string_view>

namespace korder::api {

// --- condition types ---
inline constexpr std::string_view kConditionReady = "Ready";                  // all four kinds
inline constexpr std::string_view kConditionProgressing = "Progressing";      // Order
inline constexpr std::string_view kConditionFailure = "Failure";              // Order
inline constexpr std::string_view kConditionQuotaLimited = "QuotaLimited";    // Order
inline constexpr std::string_view kConditionSuspended = "Suspended";          // Order
inline constexpr std::string_view kConditionGuardianReady = "GuardianReady";  // Ticket
inline constexpr std::string_view kConditionExpiring = "Expiring";            // Ticket
inline constexpr std::string_view kConditionScheduled = "Scheduled";          // Ticket
inline constexpr std::string_view kConditionEnforced = "Enforced";            // Quota
inline constexpr std::string_view kConditionExceeded = "Exceeded";            // Quota

// --- reasons of an Order's conditions ---
inline constexpr std::string_view kReasonAllTicketsReady = "AllTicketsReady";
inline constexpr std::string_view kReasonTicketsNotReady = "TicketsNotReady";
inline constexpr std::string_view kReasonOutsideWindow = "OutsideWindow";
inline constexpr std::string_view kReasonCompleted = "Completed";
inline constexpr std::string_view kReasonPaused = "Paused";
inline constexpr std::string_view kReasonNotPaused = "NotPaused";
inline constexpr std::string_view kReasonCreatingTickets = "CreatingTickets";
inline constexpr std::string_view kReasonDeletingTickets = "DeletingTickets";
inline constexpr std::string_view kReasonRollingOut = "RollingOut";
inline constexpr std::string_view kReasonNoEligibleNode = "NoEligibleNode";
inline constexpr std::string_view kReasonUpToDate = "UpToDate";
inline constexpr std::string_view kReasonTicketsFailed = "TicketsFailed";
inline constexpr std::string_view kReasonNoFailure = "NoFailure";
inline constexpr std::string_view kReasonWithinQuota = "WithinQuota";

// The object slipped past admission with a spec that cannot be served.
inline constexpr std::string_view kReasonInvalidSpec = "InvalidSpec";

// --- reasons of a Ticket's phase and conditions ---
inline constexpr std::string_view kReasonNotStarted = "NotStarted";
inline constexpr std::string_view kReasonQuotaDenied = "QuotaDenied";            // Order, too
inline constexpr std::string_view kReasonQuotaUnavailable = "QuotaUnavailable";  // Order, too
inline constexpr std::string_view kReasonCreating = "Creating";
inline constexpr std::string_view kReasonUnschedulable = "Unschedulable";
inline constexpr std::string_view kReasonHealing = "Healing";
inline constexpr std::string_view kReasonGuardianRunning = "GuardianRunning";
inline constexpr std::string_view kReasonGuardianBound = "GuardianBound";
inline constexpr std::string_view kReasonNoGuardian = "NoGuardian";
inline constexpr std::string_view kReasonClaimed = "Claimed";
inline constexpr std::string_view kReasonHandingOver = "HandingOver";
inline constexpr std::string_view kReasonPodFinished = "PodFinished";
inline constexpr std::string_view kReasonWindowOver = "WindowOver";
inline constexpr std::string_view kReasonWindowEnding = "WindowEnding";
inline constexpr std::string_view kReasonWindowOpen = "WindowOpen";
inline constexpr std::string_view kReasonNodeDeleted = "NodeDeleted";
inline constexpr std::string_view kReasonGuardianRefused = "GuardianRefused";

// --- reasons of a Quota's and a ClaimPolicy's conditions ---
inline constexpr std::string_view kReasonInForce = "InForce";
inline constexpr std::string_view kReasonOverLimit = "OverLimit";
inline constexpr std::string_view kReasonWithinLimit = "WithinLimit";
inline constexpr std::string_view kReasonConflict = "Conflict";  // a second Quota of type Cluster
inline constexpr std::string_view kReasonAccepted = "Accepted";
inline constexpr std::string_view kReasonNoWebhook = "NoWebhook";
inline constexpr std::string_view kReasonWebhookPending = "WebhookPending";
inline constexpr std::string_view kReasonNamespaceExcluded = "NamespaceExcluded";

// --- events of an Order ---
inline constexpr std::string_view kEventTicketsCreated = "TicketsCreated";
inline constexpr std::string_view kEventTicketsDeleted = "TicketsDeleted";
inline constexpr std::string_view kEventWindowOpened = "WindowOpened";
inline constexpr std::string_view kEventWindowClosed = "WindowClosed";
inline constexpr std::string_view kEventOccurrenceSkipped = "OccurrenceSkipped";
inline constexpr std::string_view kEventTicketsRenewed = "TicketsRenewed";
inline constexpr std::string_view kEventQuotaDenied = "QuotaDenied";  // Ticket, too
inline constexpr std::string_view kEventInvalidSpec = "InvalidSpec";  // every kind

// --- events of a Ticket ---
inline constexpr std::string_view kEventGuardianCreated = "GuardianCreated";
inline constexpr std::string_view kEventTicketReady = "TicketReady";
inline constexpr std::string_view kEventTicketRenewed = "TicketRenewed";
inline constexpr std::string_view kEventHealing = "Healing";
inline constexpr std::string_view kEventHandoffStarted = "HandoffStarted";  // pod, too
inline constexpr std::string_view kEventGuardianReleased = "GuardianReleased";
inline constexpr std::string_view kEventTicketClaimed = "TicketClaimed";  // pod, too
inline constexpr std::string_view kEventTicketCompleted = "TicketCompleted";
inline constexpr std::string_view kEventTicketExpired = "TicketExpired";
inline constexpr std::string_view kEventHandoffFailed = "HandoffFailed";

// --- events of a business pod ---
inline constexpr std::string_view kEventWaitingForTicket = "WaitingForTicket";
inline constexpr std::string_view kEventTicketFallback = "TicketFallback";
inline constexpr std::string_view kEventTicketLost = "TicketLost";

// --- events of a Quota ---
inline constexpr std::string_view kEventQuotaExceeded = "QuotaExceeded";
inline constexpr std::string_view kEventQuotaRecovered = "QuotaRecovered";
inline constexpr std::string_view kEventWindowChanged = "WindowChanged";

}  // namespace korder::api
