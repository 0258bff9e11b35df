// Every name that korder gives to things in the API: group, labels, annotations, the gate and the
// values they take.
//
//   pod.metadata.labels[std::string(kLabelClaim)] = std::string(kClaimPending);
#pragma once

#include <string_view>

namespace korder::api {

inline constexpr std::string_view kGroup = "core.korder.dev";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kApiVersion = "core.korder.dev/v1alpha1";

// Labels and annotations under this prefix belong to korder.
inline constexpr std::string_view kPrefix = "korder.dev/";

// --- on a pod, set by its author, as an annotation or as a label ---
inline constexpr std::string_view kAnnotationRequired = "korder.dev/required";
inline constexpr std::string_view kAnnotationOrder = "korder.dev/order";
inline constexpr std::string_view kAnnotationTicket = "korder.dev/ticket";
inline constexpr std::string_view kAnnotationTicketSelector = "korder.dev/ticket-selector";
inline constexpr std::string_view kAnnotationMode = "korder.dev/mode";
inline constexpr std::string_view kAnnotationFallback = "korder.dev/fallback";
inline constexpr std::string_view kAnnotationClaimTimeout = "korder.dev/claim-timeout";

inline constexpr std::string_view kRequiredTrue = "true";
inline constexpr std::string_view kModePreferred = "preferred";
inline constexpr std::string_view kModeRequired = "required";
inline constexpr std::string_view kFallbackSchedule = "schedule";
inline constexpr std::string_view kFallbackWait = "wait";
inline constexpr std::string_view kFallbackDeny = "deny";

// --- on a pod, set by korder ---
// The scheduling gate of a pod whose claim is undecided.
inline constexpr std::string_view kGateClaim = "korder.dev/claim";
// The label by which ticket-svc watches only the pods that asked.
inline constexpr std::string_view kLabelClaim = "korder.dev/claim";
inline constexpr std::string_view kClaimPending = "pending";
inline constexpr std::string_view kClaimClaimed = "claimed";
inline constexpr std::string_view kClaimFallback = "fallback";

inline constexpr std::string_view kAnnotationClaimedTicket = "korder.dev/claimed-ticket";
inline constexpr std::string_view kAnnotationClaimedOrder = "korder.dev/claimed-order";
inline constexpr std::string_view kAnnotationClaimResult = "korder.dev/claim-result";
inline constexpr std::string_view kClaimResultClaimed = "claimed";
inline constexpr std::string_view kClaimResultFallback = "fallback";
inline constexpr std::string_view kClaimResultLost = "lost";
// The ClaimPolicy that made the pod ask, when it did not ask by itself.
inline constexpr std::string_view kAnnotationClaimPolicy = "korder.dev/claim-policy";
// The id of the handoff in progress; written in the same request as the nomination.
inline constexpr std::string_view kAnnotationHandoff = "korder.dev/handoff";

// --- on the webhook configuration for pods, by the chart ---
// Who gates the pods that ask. kPodModePolicy: the API server, by MutatingAdmissionPolicies;
// anything else: the webhooks.
inline constexpr std::string_view kAnnotationPodMode = "korder.dev/pod-mode";
inline constexpr std::string_view kPodModePolicy = "policy";

// --- on a ticket ---
inline constexpr std::string_view kLabelOrder = "korder.dev/order";  // on a guardian, too
inline constexpr std::string_view kLabelOccurrence = "korder.dev/occurrence";
inline constexpr std::string_view kLabelNode = "korder.dev/node";
// The reservation in the quota ledger that the ticket was made with.
inline constexpr std::string_view kAnnotationGrant = "korder.dev/grant";
// How long before spec.startTime its guardian is made, as a Go duration: room may have to be found
// or nodes to be started. Nobody can claim the ticket before its startTime.
inline constexpr std::string_view kAnnotationLeadTime = "korder.dev/lead-time";
// The tick for which a Recurring order's ticket was last renewed, as RFC 3339.
inline constexpr std::string_view kAnnotationRenewed = "korder.dev/renewed";
// A digest of the labels and annotations of the template that the ticket was made from.
inline constexpr std::string_view kAnnotationTemplate = "korder.dev/template";

// --- on a guardian pod ---
inline constexpr std::string_view kLabelTicket = "korder.dev/ticket";
inline constexpr std::string_view kLabelRole = "korder.dev/role";
inline constexpr std::string_view kRoleGuardian = "guardian";
inline constexpr std::string_view kRoleFence = "fence";
// The nodes where handoffs were under way when the guardian was made, separated by commas.
inline constexpr std::string_view kAnnotationAvoids = "korder.dev/avoids";

}  // namespace korder::api
