#include "ticket-svc/claim_fit.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/node_fit.h"
#include "api/core/pod_requests.h"
#include "api/v1alpha1/names.h"
#include "ticket-svc/expiry.h"

namespace korder::ticket {
namespace {

constexpr std::string_view kDefaultScheduler = "default-scheduler";
constexpr size_t kMaxCauses = 3;

std::string_view SchedulerOf(const std::string& name) {
  return name.empty() ? kDefaultScheduler : std::string_view(name);
}

// What kind of thing stands between a pod and a room, the farthest from success first.
enum class Obstacle {
  kElsewhere,
  kNotWanted,
  kNotHeld,
  kTooSmall,
  kScheduler,
  kMethod,
  kNode,
  kNotYet
};

struct Objection {
  Obstacle kind;
  std::string text;
};

bool Matches(const api::LabelSelector& selector, const GuardedTicket& ticket) {
  if (selector.empty()) {
    return true;
  }
  return ticket.form->has_node_label ? selector.Matches(LabelsOf(ticket))
                                     : selector.Matches(ticket.form->metadata.labels);
}

std::optional<std::string> WhyNotWanted(const api::ClaimRequest& request,
                                        const GuardedTicket& ticket) {
  if (!request.ticket.empty() && request.ticket != ticket.metadata.name) {
    return absl::StrCat("is not ", request.ticket);
  }
  if (!request.order.empty() && request.order != ticket.order()) {
    return absl::StrCat("is not of order ", request.order);
  }
  if (!Matches(request.selector, ticket)) {
    return absl::StrCat("does not match ", request.selector.ToString());
  }
  return std::nullopt;
}

std::optional<std::string> WhyNotFree(const Room& room, absl::Time now) {
  const GuardedTicket& ticket = *room.ticket;
  const GuardedTicket::Status& status = ticket.status;
  if (ticket.metadata.deleting() || status.phase != api::TicketPhase::kReady || status.handoff ||
      !room.guardian || room.guardian->metadata.deleting() || IsTerminal(*room.guardian) ||
      room.guardian->node_name != status.node_name) {
    return "does not hold room now";
  }
  if (status.expiration_time && *status.expiration_time - now < kLeastWindowLeft) {
    return "is about to expire";
  }
  return std::nullopt;
}

std::optional<std::string> WhyTooSmall(const api::ResourceList& asked,
                                       const api::ResourceList& held) {
  for (const auto& [name, amount] : asked) {
    if (amount.IsZero()) {
      continue;
    }
    const auto it = held.find(name);
    if (it == held.end()) {
      return absl::StrCat("holds no ", name, ", ", amount.ToString(), " asked");
    }
    if (it->second < amount) {
      return absl::StrCat("holds ", it->second.ToString(), " ", name, ", ", amount.ToString(),
                          " asked");
    }
  }
  return std::nullopt;
}

bool HasOtherGates(const api::Pod& pod) {
  const auto& gates = pod.spec.scheduling_gates;
  return std::any_of(gates.begin(), gates.end(),
                     [](const auto& gate) { return gate.name != api::kGateClaim; });
}

// When the window opens that somebody planned. One without a start time has begun once the ticket
// is Ready, whatever the clock was set to since.
std::optional<absl::Time> PlannedStart(const GuardedTicket& ticket) {
  return ticket.form->spec.start_time ? ticket.status.activation_time : std::nullopt;
}

std::optional<Objection> Judge(const Claimant& claimant, const Room& room, absl::Time now) {
  const api::Pod& pod = *claimant.pod;
  if (pod.metadata.ns != room.ticket->metadata.ns) {
    return Objection{Obstacle::kElsewhere, "is in another namespace"};
  }
  if (auto why = WhyNotWanted(claimant.request, *room.ticket)) {
    return Objection{Obstacle::kNotWanted, *std::move(why)};
  }
  if (auto why = WhyNotFree(room, now)) {
    return Objection{Obstacle::kNotHeld, *std::move(why)};
  }
  if (auto why = WhyTooSmall(claimant.asked, room.held())) {
    return Objection{Obstacle::kTooSmall, *std::move(why)};
  }
  const std::string_view scheduler = SchedulerOf(room.ticket->form->spec.scheduler_name);
  if (SchedulerOf(pod.spec.scheduler_name) != scheduler) {
    return Objection{Obstacle::kScheduler,
                     absl::StrCat("is for scheduler ", std::string(scheduler))};
  }
  if (auto why = MethodOf(claimant.method).WhyNot(pod, *room.guardian)) {
    return Objection{Obstacle::kMethod, *std::move(why)};
  }
  if (auto why = WhyNodeRefuses(pod, room.node.get())) {
    return Objection{Obstacle::kNode, absl::StrCat("cannot be used: ", *why)};
  }
  // Last: a pod that fits only has to wait.
  if (const std::optional<absl::Time> start = PlannedStart(*room.ticket); start && *start > now) {
    return Objection{Obstacle::kNotYet,
                     absl::StrCat("is not for use yet: its window opens at ", TimeText(*start))};
  }
  return std::nullopt;
}

std::string Listed(const api::ResourceList& resources) {
  std::string text;
  for (const auto& [name, amount] : resources) {
    if (!amount.IsZero()) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", amount.ToString(), " ", name);
    }
  }
  return text.empty() ? "some room" : text;
}

// What helps against one kind of obstacle.
std::string Help(Obstacle kind, const Claimant& claimant) {
  switch (kind) {
    case Obstacle::kElsewhere:
    case Obstacle::kNotHeld:
      return "wait until a ticket is Ready again";
    case Obstacle::kNotWanted:
      return "name another order or ticket in the pod's annotations, or none";
    case Obstacle::kTooSmall:
      return absl::StrCat("an Order whose tickets hold at least ", Listed(claimant.asked),
                          ", or smaller requests in the pod");
    case Obstacle::kScheduler:
      return "the same schedulerName in the pod and in the Order's template";
    case Obstacle::kMethod:
      return "a priorityClassName for the pod that is above the guardians', such as korder-claimer";
    case Obstacle::kNotYet:
      return "wait until the window of a ticket opens";
    case Obstacle::kNode:
      break;
  }
  return "the pod's nodeSelector, affinity and tolerations must suit the node of a ticket; or "
         "uncordon it";
}

}  // namespace

Claimant MakeClaimant(PodPtr pod, const ClaimRules& rules) {
  api::ParsedClaimRequest parsed = api::ParseClaimRequest(pod->metadata);
  const bool says_timeout = pod->metadata.annotations.contains(api::kAnnotationClaimTimeout) ||
                            pod->metadata.labels.contains(api::kAnnotationClaimTimeout);
  if (!says_timeout) {
    parsed.request.timeout = rules.timeout;
  }
  api::ResourceList asked = api::PodRequests(pod->spec);
  return {std::move(pod), std::move(parsed.request), std::move(parsed.problems), std::move(asked),
          rules.method};
}

std::optional<std::string> WhyNodeRefuses(const api::Pod& pod, const api::Node* node) {
  if (node == nullptr || node->metadata.deleting()) {
    return "node is gone";
  }
  if (!api::IsReady(*node)) {
    return "node is not Ready";
  }
  return api::WhyNodeDoesNotFit(api::PlacementOf(pod.spec), *node);
}

std::optional<std::string> WhyNot(const Claimant& claimant, const Room& room, absl::Time now) {
  if (auto objection = Judge(claimant, room, now)) {
    return std::move(objection->text);
  }
  return std::nullopt;
}

double Waste(const api::ResourceList& asked, const api::ResourceList& held) {
  double waste = 0;
  for (const auto& [name, amount] : held) {
    if (amount.IsZero()) {
      continue;
    }
    const auto it = asked.find(name);
    const double used = it == asked.end() ? 0 : static_cast<double>(it->second.nanos());
    waste += 1 - used / static_cast<double>(amount.nanos());
  }
  return waste;
}

const Room* BestRoom(const Claimant& claimant, const RoomRefs& rooms, absl::Time now) {
  if (!claimant.problems.empty() || HasOtherGates(*claimant.pod)) {
    return nullptr;
  }
  const SharedForm* form = nullptr;
  double waste = 0;
  const auto rank_of = [&](const Room& room) {
    // Mostly the tickets of an order, one after the other.
    if (const SharedForm* const next = room.ticket->form.get(); next != form) {
      form = next;
      waste = Waste(claimant.asked, room.held());
    }
    return std::make_tuple(waste,
                           room.ticket->status.expiration_time.value_or(absl::InfiniteFuture()),
                           std::string_view(room.ticket->metadata.name));
  };
  using Rank = decltype(rank_of(std::declval<const Room&>()));
  std::optional<std::pair<Rank, const Room*>> best;
  for (const Room* room : rooms) {
    // To judge a room costs more than to rank it, and most are not better than the best so far.
    if (const Rank rank = rank_of(*room);
        (!best || rank < best->first) && !WhyNot(claimant, *room, now)) {
      best = {rank, room};
    }
  }
  return best ? best->second : nullptr;
}

const Room* BestRoom(const Claimant& claimant, std::span<const Room> rooms, absl::Time now) {
  RoomRefs refs;
  refs.reserve(rooms.size());
  for (const Room& room : rooms) {
    refs.push_back(&room);
  }
  return BestRoom(claimant, refs, now);
}

std::string Explain(const Claimant& claimant, std::span<const Room> rooms, absl::Time now) {
  if (!claimant.problems.empty()) {
    return api::JoinErrors(claimant.problems);
  }
  if (HasOtherGates(*claimant.pod)) {
    return "the pod has other scheduling gates, which must go first";
  }
  if (rooms.empty()) {
    return absl::StrCat("no ticket is Ready in namespace ", claimant.pod->metadata.ns);
  }
  std::map<std::string, int> counts;
  for (const Room& room : rooms) {
    if (auto why = WhyNot(claimant, room, now)) {
      ++counts[*std::move(why)];
    }
  }
  std::vector<std::pair<std::string, int>> causes(counts.begin(), counts.end());
  std::stable_sort(causes.begin(), causes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  causes.resize(std::min(causes.size(), kMaxCauses));
  std::string text = absl::StrCat("none of ", rooms.size(), " Ready tickets fits: ");
  for (size_t i = 0; i < causes.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", causes[i].first, " (", causes[i].second, ")");
  }
  return text;
}

std::optional<absl::Time> OpensNext(const Claimant& claimant, std::span<const Room> rooms,
                                    absl::Time now) {
  std::optional<absl::Time> next;
  if (!claimant.problems.empty() || HasOtherGates(*claimant.pod)) {
    return next;
  }
  for (const Room& room : rooms) {
    const std::optional<absl::Time> start = PlannedStart(*room.ticket);
    if (!start || *start <= now || (next && *next <= *start)) {
      continue;
    }
    if (const auto objection = Judge(claimant, room, now);
        objection && objection->kind == Obstacle::kNotYet) {
      next = start;
    }
  }
  return next;
}

std::vector<std::string> WhatWouldHelp(const Claimant& claimant, std::span<const Room> rooms,
                                       absl::Time now) {
  if (!claimant.problems.empty()) {
    return {"a pod made anew with correct korder.dev/ annotations; they are read once"};
  }
  if (HasOtherGates(*claimant.pod)) {
    return {"whoever set the other scheduling gates must remove them"};
  }
  // The nearer a ticket is to fitting, the better the advice.
  std::set<Obstacle, std::greater<>> kinds;
  for (const Room& room : rooms) {
    if (const auto objection = Judge(claimant, room, now)) {
      kinds.insert(objection->kind);
    }
  }
  std::vector<std::string> help;
  help.reserve(kinds.size() + 2);
  for (const Obstacle kind : kinds) {
    help.push_back(Help(kind, claimant));
  }
  if (rooms.empty()) {
    help.push_back(absl::StrCat("an Order in namespace ", claimant.pod->metadata.ns,
                                " whose tickets hold at least ", Listed(claimant.asked)));
    help.push_back("`kubectl get tickets` tells why those that are there are not Ready");
  }
  return help;
}

}  // namespace korder::ticket
