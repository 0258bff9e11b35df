#include "ticket-svc/healing.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "kube/object_key.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::ticket {
namespace {

bool OnLostNode(const Guardian& guardian) { return IsBound(*guardian.pod) && !guardian.node; }

// The ticket may be backed by this node only.
bool IsPinned(const GuardedTicket& ticket, const Guardian& guardian) {
  return ticket.node_name == guardian.pod->node_name;
}

// Without its label a guardian is out of sight of the watch.
bool IsLabelled(const OwnPod& pod) { return pod.role == OwnRole::kGuardian; }

bool OnDarkNode(const Observed& observed, const Guardian& guardian) {
  return guardian.node && NodeGraceLeft(observed, *guardian.node) == absl::ZeroDuration();
}

bool IsAlive(const Observed& observed, const Guardian& guardian) {
  const OwnPod& pod = *guardian.pod;
  // A guardian of a pinned ticket has nowhere else to go: it waits for its node.
  const bool given_up = OnDarkNode(observed, guardian) && !IsPinned(*observed.ticket, guardian);
  return !pod.metadata.deleting() && !IsTerminal(pod) && IsLabelled(pod) && !OnLostNode(guardian) &&
         !given_up;
}

bool Holds(const Observed& observed, const Guardian& guardian) {
  return guardian.node && guardian.pod->phase == api::kPodRunning &&
         CoversRequests(*observed.ticket, *guardian.pod) && !OnDarkNode(observed, guardian);
}

const Guardian* Recorded(const Observed& observed) {
  const kube::ObjectKey named = GuardianKey(*observed.ticket);
  for (const Guardian& guardian : observed.guardians) {
    if (kube::KeyOf(*guardian.pod) == named) {
      return &guardian;
    }
  }
  return nullptr;
}

}  // namespace

bool CoversRequests(const GuardedTicket& ticket, const OwnPod& guardian) {
  const api::ResourceList& held = guardian.ask->requests;
  const api::ResourceList& wanted = ticket.form->requests;
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto it = held.find(entry.first);
    return entry.second.IsZero() || (it != held.end() && it->second >= entry.second);
  });
}

absl::Duration NodeGraceLeft(const Observed& observed, const api::Node& node) {
  if (api::IsReady(node)) {
    return absl::InfiniteDuration();
  }
  const absl::Duration left =
      api::ReadySince(node).value_or(observed.now) + observed.node_grace - observed.now;
  return std::max(left, absl::ZeroDuration());
}

Care Examine(const Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  Care care{.newest = ticket.status.incarnation};
  const Guardian* best = nullptr;
  const kube::ObjectKey named = GuardianKey(ticket);
  // The one that holds, before all the one that the status names; else the furthest, then newest.
  const auto rank = [&](const Guardian& g) {
    const bool holds = Holds(observed, g);
    return std::make_tuple(holds, holds && kube::KeyOf(*g.pod) == named, IsBound(*g.pod),
                           IncarnationOf(ticket, *g.pod));
  };
  for (const Guardian& guardian : observed.guardians) {
    care.newest = std::max(care.newest, IncarnationOf(ticket, *guardian.pod));
    if (IsAlive(observed, guardian) && (best == nullptr || rank(*best) < rank(guardian))) {
      best = &guardian;
    }
  }
  for (const Guardian& guardian : observed.guardians) {
    if (&guardian != best && !guardian.pod->metadata.deleting()) {
      care.discarded.push_back(guardian.pod);
    }
  }
  if (best != nullptr) {
    care.kept = best->pod;
    care.holds = Holds(observed, *best);
    care.dark = OnDarkNode(observed, *best);
    care.grace_left = best->node ? NodeGraceLeft(observed, *best->node) : absl::ZeroDuration();
  }
  return care;
}

std::string WhatBecameOf(const Observed& observed) {
  const std::string who = absl::StrCat("guardian ", GuardianKey(*observed.ticket).ToString());
  const Guardian* guardian = Recorded(observed);
  if (guardian == nullptr) {
    return absl::StrCat(who, " was deleted");
  }
  const OwnPod& pod = *guardian->pod;
  if (pod.metadata.deleting()) {
    return absl::StrCat(who, " is being deleted");
  }
  if (IsTerminal(pod)) {
    const OwnPod::End end = pod.end ? *pod.end : OwnPod::End{};
    const std::string& cause = end.reason.empty() ? pod.phase.str() : end.reason;
    return absl::StrCat(who, " ended: ", cause, end.message.empty() ? "" : ": ", end.message);
  }
  if (OnLostNode(*guardian)) {
    return absl::StrCat("node ", pod.node_name.str(), " of ", who, " is gone");
  }
  if (OnDarkNode(observed, *guardian)) {
    return absl::StrCat("node ", pod.node_name.str(), " of ", who, " has not been Ready for ",
                        absl::FormatDuration(observed.node_grace));
  }
  if (!IsLabelled(pod)) {
    return absl::StrCat(who, " lost its label ", std::string(api::kLabelRole));
  }
  return absl::StrCat(who, " does not hold the room any more");
}

bool LostPinnedNode(const Observed& observed) {
  const std::string& pinned = observed.ticket->node_name;
  return !pinned.empty() &&
         std::any_of(observed.guardians.begin(), observed.guardians.end(), [&](const Guardian& g) {
           return OnLostNode(g) && g.pod->node_name == pinned;
         });
}

}  // namespace korder::ticket
