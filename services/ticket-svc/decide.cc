#include "ticket-svc/decide.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/validation.h"
#include "kube/object_key.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/healing.h"
#include "ticket-svc/prolong.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;

// What passes by itself in this time is not worth a write.
constexpr absl::Duration kDebounce = absl::Seconds(2);
// The scheduler's words change with every node; a status follows them this often at most.
constexpr absl::Duration kMessageInterval = absl::Seconds(30);
constexpr absl::Duration kDeniedRetry = absl::Seconds(5);
constexpr absl::Duration kUnavailableRetry = absl::Seconds(1);
constexpr absl::Duration kRefusedRetry = absl::Seconds(10);
// A claimed pod that lost its label is out of sight of the watch.
constexpr absl::Duration kUnwatchedPoll = absl::Seconds(30);
// Handoffs take tens of milliseconds.
constexpr absl::Duration kBusyLook = absl::Milliseconds(50);
// The others of its line may find room before that.
constexpr absl::Duration kHeldLook = absl::Seconds(2);
constexpr absl::Duration kAvoidedLook = absl::Seconds(1);
// More would make a pod that the scheduler reads for longer than the handoffs take.
constexpr size_t kMostAvoided = 64;

void DeleteAll(const std::vector<OwnPodPtr>& pods, Plan& plan) {
  for (const OwnPodPtr& pod : pods) {
    plan.actions.push_back(DeleteGuardian{kube::KeyOf(*pod), pod->metadata.uid});
  }
}

void DeleteAllGuardians(const Observed& observed, Plan& plan) {
  for (const Guardian& guardian : observed.guardians) {
    if (!guardian.pod->metadata.deleting()) {
      DeleteAll({guardian.pod}, plan);
    }
  }
}

void LookAgainAt(const Observed& observed, std::optional<absl::Time> when, Plan& plan) {
  if (when && *when > observed.now) {
    plan.LookAgainIn(*when - observed.now);
  }
}

// Pending with this reason. Another message alone is written now and then only. `newest` is the
// newest guardian's incarnation, when it is sure that the ticket is charged.
void ReportPending(const Observed& observed, std::string_view reason, std::string message,
                   Plan& plan, int32_t newest = 0) {
  const GuardedTicket::Status& was = observed.ticket->status;
  const bool same_reason = was.phase == TicketPhase::kPending && was.reason() == reason;
  if (same_reason && was.message() == message) {
    return;
  }
  if (same_reason && observed.since_status_write < kMessageInterval) {
    plan.LookAgainIn(kMessageInterval - observed.since_status_write);
    return;
  }
  api::TicketStatus status =
      PendingStatus(*observed.ticket, reason, std::move(message), observed.now);
  status.incarnation = std::max(status.incarnation, newest);
  plan.actions.push_back(WriteStatus{std::move(status)});
}

// Time left until what was made then, a guardian or the ticket, is old enough for a report.
absl::Duration DebounceLeft(const Observed& observed, std::optional<absl::Time> made) {
  return made.value_or(absl::InfinitePast()) + kDebounce - observed.now;
}

Plan Finish(const Observed& observed, TicketPhase phase, std::string_view reason,
            const std::string& message) {
  Plan plan;
  plan.actions.push_back(
      WriteStatus{FinishedStatus(*observed.ticket, phase, reason, message, observed.now)});
  DeleteAllGuardians(observed, plan);
  const std::string_view event = phase == TicketPhase::kCompleted ? api::kEventTicketCompleted
                                 : phase == TicketPhase::kExpired ? api::kEventTicketExpired
                                                                  : reason;
  plan.events.push_back({phase == TicketPhase::kFailed, std::string(event), message});
  return plan;
}

Plan CleanUp(const Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  Plan plan;
  DeleteAllGuardians(observed, plan);
  if (!ticket.status.finished_time) {
    // Without it the time to keep the ticket would never be over.
    api::TicketStatus status = WholeStatus(ticket);
    status.finished_time = observed.now;
    plan.actions.push_back(WriteStatus{std::move(status)});
    return plan;
  }
  const std::optional<absl::Time> due = CleanupTime(ticket);
  if (due && *due <= observed.now) {
    plan.actions.push_back(DeleteTicket{});
  }
  LookAgainAt(observed, due, plan);
  return plan;
}

// Until the end of the window: the condition Expiring, and a look at both moments.
void WatchWindow(const Observed& observed, Plan& plan) {
  const std::optional<absl::Time> expiring = ExpiringFrom(*observed.ticket);
  if (expiring && *expiring <= observed.now) {
    api::TicketStatus status = ExpiringStatus(*observed.ticket, observed.now);
    if (status != WholeStatus(*observed.ticket)) {
      plan.actions.push_back(WriteStatus{std::move(status)});
    }
  }
  LookAgainAt(observed, expiring, plan);
  LookAgainAt(observed, WindowEnd(*observed.ticket), plan);
}

Plan DecideClaimed(const Observed& observed) {
  const std::string who = absl::StrCat("pod ", observed.ticket->status.claimed_pod());
  if (!observed.claimed_pod) {
    return Finish(observed, TicketPhase::kCompleted, api::kReasonPodFinished, who + " is gone");
  }
  const api::Pod& pod = *observed.claimed_pod;
  if (api::IsTerminal(pod)) {
    return Finish(observed, TicketPhase::kCompleted, api::kReasonPodFinished,
                  absl::StrCat(who, " ended: ", pod.status.phase));
  }
  if (const auto end = WindowEnd(*observed.ticket); end && *end <= observed.now) {
    return Finish(observed, TicketPhase::kCompleted, api::kReasonWindowOver,
                  absl::StrCat("the window is over; ", who, " keeps running"));
  }
  Plan plan;
  DeleteAllGuardians(observed, plan);
  WatchWindow(observed, plan);
  if (!pod.metadata.labels.contains(api::kLabelClaim)) {
    plan.LookAgainIn(kUnwatchedPoll);
  }
  return plan;
}

// Anybody who may create pods can make one that looks like a guardian of the ticket: before it
// counts for anything, quota-svc must have confirmed the charge.
void ConfirmOnce(const Observed& observed, Plan& plan) {
  if (!observed.charge_confirmed) {
    plan.actions.push_back(ConfirmCharge{});
  }
}

Plan Hold(const Observed& observed, const Care& care) {
  const GuardedTicket& ticket = *observed.ticket;
  const OwnPod& guardian = *care.kept;
  Plan plan;
  const bool known = ticket.status.phase == TicketPhase::kReady &&
                     ticket.status.node_name == guardian.node_name &&
                     GuardianKey(ticket) == kube::KeyOf(guardian);
  if (known) {
    WatchWindow(observed, plan);
    return plan;
  }
  ConfirmOnce(observed, plan);
  plan.actions.push_back(WriteStatus{ReadyStatus(ticket, guardian, care.newest, observed.now)});
  plan.events.push_back({false, std::string(api::kEventTicketReady),
                         absl::StrCat("guardian ", guardian.metadata.name,
                                      " holds the room on node ", guardian.node_name.str())});
  return plan;
}

void Create(int32_t incarnation, Plan& plan) {
  plan.actions.push_back(ConfirmCharge{});
  plan.actions.push_back(CreateGuardian{incarnation});
}

Plan Heal(const Observed& observed, const Care& care) {
  const std::string why = WhatBecameOf(observed);
  if (LostPinnedNode(observed)) {
    return Finish(observed, TicketPhase::kFailed, api::kReasonNodeDeleted,
                  absl::StrCat("node ", observed.ticket->node_name.str(),
                               ", to which the ticket is pinned, was deleted"));
  }
  Plan plan;
  plan.actions.push_back(
      WriteStatus{PendingStatus(*observed.ticket, api::kReasonHealing, why, observed.now)});
  plan.events.push_back({true, std::string(api::kEventHealing), why});
  DeleteAll(care.discarded, plan);
  if (!care.kept) {
    Create(care.newest + 1, plan);
  }
  return plan;
}

// The guardian exists and does not hold yet: the scheduler's and the kubelet's turn.
Plan Wait(const Observed& observed, const Care& care) {
  const OwnPod& guardian = *care.kept;
  Plan plan;
  ConfirmOnce(observed, plan);
  const absl::Duration left = DebounceLeft(observed, guardian.metadata.creation_timestamp);
  const bool early = left > absl::ZeroDuration();
  if (care.dark) {
    ReportPending(observed, api::kReasonHealing,
                  absl::StrCat("waiting for node ", guardian.node_name.str(),
                               ", to which the ticket is pinned, to be Ready"),
                  plan, care.newest);
  } else if (guardian.unschedulable) {
    if (const std::set<std::string>& avoided = guardian.where->avoided; !avoided.empty()) {
      // It may be the avoided nodes that it lacks; those that are free again are open to another.
      const bool free = std::none_of(avoided.begin(), avoided.end(), [&](const std::string& node) {
        return observed.busy_nodes.contains(node);
      });
      if (free) {
        plan.actions.push_back(StepAside{kube::KeyOf(guardian), guardian.metadata.uid});
        return plan;
      }
      plan.LookAgainIn(kAvoidedLook);
    }
    if (early) {
      plan.LookAgainIn(left);
    } else {
      ReportPending(observed, api::kReasonUnschedulable, guardian.unschedulable->message, plan,
                    care.newest);
    }
  } else if (guardian.phase == api::kPodRunning) {
    ReportPending(observed, api::kReasonGuardianRefused,
                  absl::StrCat("guardian ", guardian.metadata.name,
                               " asks for less than the ticket: it was changed at admission"),
                  plan, care.newest);
  } else if (const std::string& was = observed.ticket->status.reason();
             !was.empty() && was != api::kReasonHealing && was != api::kReasonCreating &&
             was != api::kReasonUnschedulable) {
    // What held the guardian up is over.
    if (early) {
      plan.LookAgainIn(left);
    } else {
      ReportPending(observed, api::kReasonCreating,
                    absl::StrCat("waiting for guardian ", guardian.metadata.name), plan,
                    care.newest);
    }
  }
  return plan;
}

// How long no guardian is to look for room, for the sake of the handoffs under way.
absl::Duration UntilItMayLook(const Observed& observed) {
  const std::string& pinned = observed.ticket->node_name;
  const bool in_the_way = pinned.empty() ? observed.busy_nodes.size() > kMostAvoided
                                         : observed.busy_nodes.contains(pinned);
  return std::max(observed.hold_back, in_the_way ? kBusyLook : absl::ZeroDuration());
}

void WaitForStart(const Observed& observed, Plan& plan) {
  const LeadTime lead = LeadTimeOf(*observed.ticket);
  std::string message = "the start time has not come yet";
  if (lead.value > absl::ZeroDuration()) {
    absl::StrAppend(&message, "; looks for room from ", TimeText(GuardianFrom(*observed.ticket)),
                    " on");
  }
  if (!lead.problems.empty()) {
    absl::StrAppend(&message, "; ", api::JoinErrors(lead.problems));
  }
  ReportPending(observed, api::kReasonNotStarted, std::move(message), plan);
  if (!lead.problems.empty() && !plan.actions.empty()) {
    plan.events.push_back(
        {true, std::string(api::kEventInvalidSpec), api::JoinErrors(lead.problems)});
  }
  LookAgainAt(observed, GuardianFrom(*observed.ticket), plan);
}

Plan Start(const Observed& observed, const Care& care) {
  const GuardedTicket& ticket = *observed.ticket;
  Plan plan;
  if (const std::vector<api::FieldError> errors = api::Validate(Whole(ticket)); !errors.empty()) {
    ReportPending(observed, api::kReasonInvalidSpec, api::JoinErrors(errors), plan);
    if (!plan.actions.empty()) {
      plan.events.push_back({true, std::string(api::kEventInvalidSpec), api::JoinErrors(errors)});
    }
    return plan;
  }
  if (GuardianFrom(ticket) > observed.now) {
    WaitForStart(observed, plan);
    return plan;
  }
  if (const absl::Duration wait = UntilItMayLook(observed); wait > absl::ZeroDuration()) {
    if (ticket.status.reason() != api::kReasonUnschedulable &&
        DebounceLeft(observed, ticket.metadata.creation_timestamp) <= absl::ZeroDuration()) {
      ReportPending(observed, api::kReasonUnschedulable,
                    "no room was found before other pods took over theirs; looking again soon",
                    plan);
    }
    plan.LookAgainIn(std::min(wait, kHeldLook));
    return plan;
  }
  Create(care.newest + 1, plan);
  return plan;
}

// The room, for a ticket whose window is not over.
Plan TendGuardian(const Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  const Care care = Examine(observed);
  if (ticket.status.phase == TicketPhase::kReady && !(care.kept && care.holds)) {
    return Heal(observed, care);
  }
  Plan plan = !care.kept   ? Start(observed, care)
              : care.holds ? Hold(observed, care)
                           : Wait(observed, care);
  if (care.kept && care.grace_left > absl::ZeroDuration() &&
      care.grace_left < absl::InfiniteDuration()) {
    plan.LookAgainIn(care.grace_left);
  }
  // Last: nothing is deleted before the status says what counts instead.
  DeleteAll(care.discarded, plan);
  return plan;
}

Plan DecideLive(const Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  if (const auto end = WindowEnd(ticket); end && *end <= observed.now) {
    return Finish(observed, TicketPhase::kExpired, api::kReasonWindowOver,
                  "the window is over and no pod claimed the ticket");
  }
  const std::optional<absl::Time> longer = LongerEnd(ticket, observed.now);
  if (longer && !IsRefused(observed, *longer)) {
    return Prolong(observed, *longer);
  }
  Plan plan = TendGuardian(observed);
  LookAgainAt(observed, WindowEnd(ticket), plan);
  if (longer) {
    plan.LookAgainIn(observed.refused_end->wait);
  }
  return plan;
}

// The handoff is another controller's work (handoff_reconciler.h), and what becomes of the guardian
// that it is about, too.
Plan DecideHandoff(const Observed& observed) {
  Plan plan;
  for (const Guardian& guardian : observed.guardians) {
    if (guardian.pod->metadata.uid != observed.ticket->status.handoff->guardian_uid &&
        !guardian.pod->metadata.deleting()) {
      DeleteAll({guardian.pod}, plan);
    }
  }
  return plan;
}

}  // namespace

Plan Decide(const Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  if (ticket.metadata.deleting()) {
    Plan plan;
    DeleteAllGuardians(observed, plan);
    return plan;
  }
  if (api::IsFinished(ticket.status.phase)) {
    return CleanUp(observed);
  }
  if (ticket.status.handoff) {
    return DecideHandoff(observed);
  }
  if (ticket.status.phase == TicketPhase::kClaimed) {
    return DecideClaimed(observed);
  }
  return DecideLive(observed);
}

Plan DecideNotLonger(const Observed& observed, const std::string& denial) {
  Plan plan = Decide(observed);
  if (!denial.empty()) {
    plan.events.push_back({true, std::string(api::kEventQuotaDenied), denial});
  }
  return plan;
}

Plan DecideDenied(const Observed& observed, const std::string& message,
                  std::optional<absl::Time> next_change) {
  Plan plan;
  const bool news = observed.ticket->status.reason() != api::kReasonQuotaDenied;
  ReportPending(observed, api::kReasonQuotaDenied, message, plan);
  if (news) {
    plan.events.push_back({true, std::string(api::kEventQuotaDenied), message});
  }
  // A guardian that nobody confirmed is not ours to keep.
  DeleteAllGuardians(observed, plan);
  const absl::Duration change = next_change.value_or(absl::InfiniteFuture()) - observed.now;
  plan.LookAgainIn(std::clamp(change, absl::Milliseconds(100), kDeniedRetry));
  LookAgainAt(observed, WindowEnd(*observed.ticket), plan);
  return plan;
}

Plan DecideQuotaUnavailable(const Observed& observed, const std::string& message) {
  Plan plan;
  const absl::Duration left = DebounceLeft(observed, observed.ticket->metadata.creation_timestamp);
  // The words differ from try to try; the reason is what matters.
  if (left <= absl::ZeroDuration() &&
      observed.ticket->status.reason() != api::kReasonQuotaUnavailable) {
    ReportPending(observed, api::kReasonQuotaUnavailable, message, plan);
  }
  plan.LookAgainIn(kUnavailableRetry);
  LookAgainAt(observed, WindowEnd(*observed.ticket), plan);
  return plan;
}

Plan DecideRefused(const Observed& observed, const std::string& message, bool for_good) {
  if (for_good) {
    return Finish(observed, TicketPhase::kFailed, api::kReasonGuardianRefused, message);
  }
  Plan plan;
  ReportPending(observed, api::kReasonGuardianRefused, message, plan);
  if (!plan.actions.empty()) {
    plan.events.push_back({true, std::string(api::kReasonGuardianRefused), message});
  }
  plan.LookAgainIn(kRefusedRetry);
  LookAgainAt(observed, WindowEnd(*observed.ticket), plan);
  return plan;
}

}  // namespace korder::ticket
