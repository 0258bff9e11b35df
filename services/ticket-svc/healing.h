// Which of a ticket's guardians counts, which are to be deleted, and what became of a lost one.
// Pure.
//
//   const Care care = Examine(observed);
//   if (care.kept && care.holds) { ... the ticket's room is held ... }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ticket-svc/observed.h"

namespace korder::ticket {

struct Care {
  // The one alive guardian that counts; null when there is none.
  OwnPodPtr kept;
  // The node of `kept` has not been Ready for longer than the grace.
  bool dark = false;
  // Until that will be so; infinite while the node is Ready.
  absl::Duration grace_left;
  // `kept` is bound to a node that exists and is not dark, Running, and takes as much room as the
  // ticket asks for.
  bool holds = false;
  // Dead or surplus; they are deleted.
  std::vector<OwnPodPtr> discarded;
  // The incarnation of the newest guardian known; 0 when there never was one.
  int32_t newest = 0;
};

// How long guardians on the node still count; infinite while it is Ready.
absl::Duration NodeGraceLeft(const Observed& observed, const api::Node& node);

Care Examine(const Observed& observed);

// What became of the guardian that the ticket's status names: "guardian web-0-g1 was deleted".
std::string WhatBecameOf(const Observed& observed);

// The node that the ticket is pinned to was deleted under its guardian: nothing can be done.
bool LostPinnedNode(const Observed& observed);

// The pod asks for at least what the ticket reserves, in every resource.
bool CoversRequests(const GuardedTicket& ticket, const OwnPod& guardian);

}  // namespace korder::ticket
