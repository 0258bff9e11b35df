// Decides which waiting pod of a namespace gets which ticket, and whose waiting is over. Pure.
//
//   const ClaimsPlan plan = DecideClaims(observed);
//
// First come, first served; each gets the room that suits it best. Handoffs of one node begin and
// end together (handoff_batch.h), so a node where some are under way takes no more.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ticket-svc/claim_fit.h"
#include "ticket-svc/observed.h"

namespace korder::ticket {

struct ClaimsObserved {
  std::vector<PodPtr> pods;            // those that carry the label korder.dev/claim
  std::vector<Room> rooms;             // of the namespace's Ready tickets
  std::set<std::string> handoff_pods;  // UIDs of pods to which a ticket is promised
  std::set<std::string> busy_nodes;    // where a handoff is under way
  // By UID: how long each pod has waited before the eyes of this process. Time that passed counts,
  // whatever somebody has set the clock to.
  std::map<std::string, absl::Duration> waited;
  ClaimRules rules;
  absl::Time now;
};

struct Assignment {
  TicketPtr ticket;
  PodPtr pod;
  std::string guardian_uid;
  std::string node;
};

struct Waiter {
  PodPtr pod;
  std::string why;
  bool soon = false;  // only other pods' handoffs are in the way
};

struct ClaimsPlan {
  std::vector<Assignment> assignments;
  std::vector<Waiter> fallbacks;  // their time is over: the stock scheduler takes them
  // They carry the mark of a handoff that does not exist any more; it has to go first.
  std::vector<PodPtr> stale_marks;
  std::vector<Waiter> waiting;
  std::set<std::string> wanted_nodes;  // busy nodes with a ticket that somebody waits for
  std::optional<absl::Duration> requeue_after;
};

// The pod has our gate, is marked as undecided, and is not on its way out.
bool IsWaiting(const api::Pod& pod);

// The id of the handoff that the pod is marked with, or "".
std::string_view HandoffMark(const api::Pod& pod);

ClaimsPlan DecideClaims(const ClaimsObserved& observed);

}  // namespace korder::ticket
