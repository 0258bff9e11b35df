// Whether a waiting pod may take over the room of a ticket, and which room suits it best. Pure;
// used for real claims and for TicketDesk.Offer.
//
//   const Claimant claimant = MakeClaimant(pod, rules);
//   if (const Room* room = BestRoom(claimant, rooms, now)) { ... }
//   else { Explain(claimant, rooms, now); }   // "none of 2 Ready tickets fits: ..."
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/resources.h"
#include "api/v1alpha1/claim_request.h"
#include "ticket-svc/handoff_method.h"
#include "ticket-svc/observed.h"

namespace korder::ticket {

// A ticket that is not claimed in the middle of its last seconds: the pod would hardly have it.
inline constexpr absl::Duration kLeastWindowLeft = absl::Seconds(5);

// A Ready ticket and what backs it.
struct Room {
  TicketPtr ticket;
  OwnPodPtr guardian;  // null when it is gone
  NodePtr node;        // null when it is gone

  // What the ticket reserves.
  const api::ResourceList& held() const { return ticket->form->requests; }
};

// Some of the rooms that are kept elsewhere.
using RoomRefs = std::vector<const Room*>;

// What holds for every claim.
struct ClaimRules {
  absl::Duration timeout = api::kDefaultClaimTimeout;  // for pods that name none
  HandoffMethodName method = HandoffMethodName::kNominate;
};

// A pod that asks for a ticket, and what it asks for.
struct Claimant {
  PodPtr pod;
  api::ClaimRequest request;
  std::vector<api::FieldError> problems;  // of the request; such a pod gets no ticket
  api::ResourceList asked;
  HandoffMethodName method = HandoffMethodName::kNominate;
};

Claimant MakeClaimant(PodPtr pod, const ClaimRules& rules);

// Nothing when the pod may take this room; otherwise the first thing that stands against it, as a
// fragment that reads on after "the ticket".
std::optional<std::string> WhyNot(const Claimant& claimant, const Room& room, absl::Time now);

// Nothing when the pod may run on the node now.
std::optional<std::string> WhyNodeRefuses(const api::Pod& pod, const api::Node* node);

// How much of the room would lie idle: the sum over resources of (held - asked) / held.
double Waste(const api::ResourceList& asked, const api::ResourceList& held);

// The least waste, then the earliest end, then the name. Null when none fits.
const Room* BestRoom(const Claimant& claimant, const RoomRefs& rooms, absl::Time now);
const Room* BestRoom(const Claimant& claimant, std::span<const Room> rooms, absl::Time now);

// Why no room fits, the most frequent cause first.
std::string Explain(const Claimant& claimant, std::span<const Room> rooms, absl::Time now);

// When the first of the rooms opens that fits the pod but for the start of its window. Nothing when
// there is none.
std::optional<absl::Time> OpensNext(const Claimant& claimant, std::span<const Room> rooms,
                                    absl::Time now);

// What would have to be otherwise for the pod to get a ticket, the most promising first. Empty when
// one fits.
std::vector<std::string> WhatWouldHelp(const Claimant& claimant, std::span<const Room> rooms,
                                       absl::Time now);

}  // namespace korder::ticket
