#include "ticket-svc/reconciler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/ticket_window.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/keys.h"
#include "ticket-svc/prolong.h"

namespace korder::ticket {
namespace {

// Statuses carry milliseconds. Cut, not rounded: nothing may happen early.
absl::Time InMilliseconds(absl::Time time) {
  return absl::FromUnixMillis(absl::ToUnixMillis(time));
}

// As quota-svc sees the ticket itself, so that what was granted once is never asked for anew.
runtime::LedgerClaim HeldClaim(const GuardedTicket& ticket) {
  return {.requests = ticket.form->requests,
          .duration = api::HeldFor(ticket),
          .labels = LabelsOf(ticket)};
}

// REQUIRES: the window has begun.
runtime::LedgerClaim ClaimUntil(absl::Time end, const GuardedTicket& ticket, absl::Time now) {
  runtime::LedgerClaim claim = HeldClaim(ticket);
  claim.duration.reset();
  if (end != absl::InfiniteFuture()) {
    claim.duration = end - *api::WindowStart(ticket);
    // Of a window that lies ahead all is still to come.
    claim.remaining = std::min(*claim.duration, end - now);
  }
  return claim;
}

bool IsOver(const Observed& observed) {
  const std::optional<absl::Time> end = WindowEnd(*observed.ticket);
  return end && *end <= observed.now;
}

// Handoffs take tens of milliseconds.
constexpr absl::Duration kBusyLook = absl::Milliseconds(50);
constexpr absl::Duration kUnavailableRetry = absl::Seconds(1);

}  // namespace

Reconciler::Reconciler(Parts parts, GuardianOptions guardians, absl::Duration node_grace)
    : parts_(parts), guardians_(std::move(guardians)), node_grace_(node_grace) {}

void Reconciler::ForgetAll() {
  const MutexLock lock(mu_);
  memory_.clear();
}

absl::StatusOr<kube::Result> Reconciler::Reconcile(const kube::ObjectKey& key,
                                                   std::stop_token stop) {
  ASSIGN_OR_RETURN(std::optional<Observed> observed, Observe(key, stop));
  if (!observed) {
    return kube::Result::Done();
  }
  Plan plan = Decide(*observed);
  ASSIGN_OR_RETURN(std::optional<Plan> instead, CarryOut(plan, *observed, stop));
  // Ends: without a longer window the charge may have to be confirmed, and without that nothing is.
  while (instead) {
    plan = *std::move(instead);
    ASSIGN_OR_RETURN(instead, CarryOut(plan, *observed, stop));
  }
  Emit(plan, *observed->ticket);
  return kube::Result::From(plan.requeue_after);
}

absl::StatusOr<std::optional<Observed>> Reconciler::Observe(const kube::ObjectKey& key,
                                                            std::stop_token stop) {
  Observed observed{.ticket = parts_.world.Ticket(key),
                    .node_grace = node_grace_,
                    .now = InMilliseconds(parts_.clock.Now())};
  if (!observed.ticket) {
    const MutexLock lock(mu_);
    memory_.erase(key);
    return std::optional<Observed>();
  }
  observed.busy_nodes = parts_.world.HandoffNodes();
  observed.hold_back = parts_.traffic.HoldBack(LineOf(*observed.ticket));
  observed.charge_confirmed = observed.ticket->status.incarnation > 0;
  Recall(observed);
  ASSIGN_OR_RETURN(observed.guardians, ObserveGuardians(*observed.ticket, stop));
  ASSIGN_OR_RETURN(observed.claimed_pod, ObserveClaimedPod(*observed.ticket, stop));
  return std::optional(std::move(observed));
}

void Reconciler::Recall(Observed& observed) {
  const GuardedTicket& ticket = *observed.ticket;
  const MutexLock lock(mu_);
  const auto it = memory_.find(kube::KeyOf(ticket));
  if (it == memory_.end() || it->second.uid != ticket.metadata.uid) {
    return;
  }
  const Memory& memory = it->second;
  observed.charge_confirmed = observed.charge_confirmed ||
                              (memory.confirmed && memory.confirmed_for == api::HeldFor(ticket));
  if (memory.refused_end) {
    observed.refused_end =
        RefusedEnd{.end = *memory.refused_end,
                   .wait = absl::FromChrono(memory.ask_again - parts_.clock.Mono())};
  }
  if (memory.wrote_status) {
    observed.since_status_write = absl::FromChrono(parts_.clock.Mono() - *memory.wrote_status);
  }
}

Reconciler::Memory& Reconciler::MemoryOf(const GuardedTicket& ticket) {
  Memory& memory = memory_[kube::KeyOf(ticket)];
  if (memory.uid != ticket.metadata.uid) {
    memory = Memory{.uid = ticket.metadata.uid};
  }
  return memory;
}

void Reconciler::RememberWrite(const GuardedTicket& ticket) {
  const MutexLock lock(mu_);
  if (ticket.status.phase == api::TicketPhase::kPending) {
    MemoryOf(ticket).wrote_status = parts_.clock.Mono();
    return;
  }
  const auto it = memory_.find(kube::KeyOf(ticket));
  if (it != memory_.end() && (it->second.uid != ticket.metadata.uid || !it->second.refused_end)) {
    memory_.erase(it);
  }
}

absl::StatusOr<std::vector<Guardian>> Reconciler::ObserveGuardians(const GuardedTicket& ticket,
                                                                   std::stop_token stop) {
  std::vector<Guardian> guardians;
  const kube::ObjectKey named = GuardianKey(ticket);
  bool recorded = named.name.empty();
  for (OwnPodPtr& pod : parts_.world.GuardiansOf(ticket)) {
    recorded = recorded || kube::KeyOf(*pod) == named;
    ASSIGN_OR_RETURN(NodePtr node, ObserveNode(*pod, stop));
    guardians.push_back({std::move(pod), std::move(node)});
  }
  if (recorded || ticket.status.phase != api::TicketPhase::kReady || ticket.status.handoff) {
    return guardians;
  }
  // A loss costs the ticket its room, so it is not believed of a watch alone: the watch may lag, or
  // somebody took the guardian's label away.
  absl::StatusOr<OwnPod> live = parts_.client.Get<OwnPod>(named, {.stop = stop});
  if (absl::IsNotFound(live.status())) {
    return guardians;
  }
  RETURN_IF_ERROR(live.status());
  if (IncarnationOf(ticket, *live) != 0) {
    ASSIGN_OR_RETURN(NodePtr node, ObserveNode(*live, stop));
    guardians.push_back({std::make_shared<const OwnPod>(*std::move(live)), std::move(node)});
  }
  return guardians;
}

absl::StatusOr<PodPtr> Reconciler::ObserveClaimedPod(const GuardedTicket& ticket,
                                                     std::stop_token stop) {
  const GuardedTicket::Status& status = ticket.status;
  if (status.phase != api::TicketPhase::kClaimed) {
    return PodPtr();
  }
  const kube::ObjectKey key = ParseKey(status.claimed_pod());
  if (PodPtr pod = parts_.world.ClaimPod(key);
      pod && pod->metadata.uid == status.claimed_pod_uid()) {
    return pod;
  }
  // As with guardians: the end of a claim is not believed of a watch alone.
  absl::StatusOr<api::Pod> live = parts_.client.Get<api::Pod>(key, {.stop = std::move(stop)});
  if (absl::IsNotFound(live.status())) {
    return PodPtr();
  }
  RETURN_IF_ERROR(live.status());
  return live->metadata.uid == status.claimed_pod_uid()
             ? std::make_shared<const api::Pod>(*std::move(live))
             : PodPtr();
}

absl::StatusOr<NodePtr> Reconciler::ObserveNode(const OwnPod& guardian, std::stop_token stop) {
  const std::string& name = guardian.node_name;
  if (name.empty()) {
    return NodePtr();
  }
  if (NodePtr node = parts_.world.Node(name)) {
    return node;
  }
  // The watch of pods may be ahead of the watch of nodes.
  absl::StatusOr<api::Node> live =
      parts_.client.Get<api::Node>({"", name}, {.stop = std::move(stop)});
  if (absl::IsNotFound(live.status())) {
    return NodePtr();
  }
  RETURN_IF_ERROR(live.status());
  return std::make_shared<const api::Node>(*std::move(live));
}

absl::StatusOr<std::optional<Plan>> Reconciler::CarryOut(const Plan& plan, Observed& observed,
                                                         std::stop_token stop) {
  for (const Action& action : plan.actions) {
    std::optional<Plan> instead;
    if (std::holds_alternative<ConfirmCharge>(action)) {
      ASSIGN_OR_RETURN(instead, Confirm(observed, stop));
    } else if (const auto* longer = std::get_if<ConfirmLonger>(&action)) {
      ASSIGN_OR_RETURN(instead, ConfirmEnd(*longer, observed, stop));
    } else if (const auto* create = std::get_if<CreateGuardian>(&action)) {
      ASSIGN_OR_RETURN(instead, Create(*create, observed, stop));
    } else if (const auto* remove = std::get_if<DeleteGuardian>(&action)) {
      RETURN_IF_ERROR(Delete(*remove, stop));
    } else if (const auto* aside = std::get_if<StepAside>(&action)) {
      RETURN_IF_ERROR(Delete({aside->key, aside->uid}, stop));
      parts_.traffic.SteppedAside(LineOf(*observed.ticket));
    } else if (const auto* write = std::get_if<WriteStatus>(&action)) {
      RETURN_IF_ERROR(Write(write->status, observed, stop));
    } else {
      RETURN_IF_ERROR(DeleteTicketNow(*observed.ticket, stop));
    }
    if (instead) {
      return instead;
    }
  }
  return std::optional<Plan>();
}

absl::StatusOr<runtime::LedgerDecision> Reconciler::AskQuota(Observed& observed,
                                                             const runtime::LedgerClaim& claim,
                                                             std::stop_token stop) {
  const GuardedTicket::Metadata& meta = observed.ticket->metadata;
  const std::string grant = observed.ticket->grant;
  // Whatever quota-svc does: the ticket ends in time.
  const absl::Duration at_most =
      WindowEnd(*observed.ticket).value_or(absl::InfiniteFuture()) - observed.now;
  absl::StatusOr<runtime::LedgerDecision> decision = parts_.charges.Confirm(
      {{meta.ns, meta.name, meta.uid}, grant, claim}, std::move(stop), at_most);
  if (!decision.ok() && !absl::IsCancelled(decision.status())) {
    log::Info(
        "charge not confirmed",
        {{"ns", meta.ns.str()}, {"ticket", meta.name}, {"error", ToString(decision.status())}});
  }
  observed.now = InMilliseconds(parts_.clock.Now());  // The answer took its time.
  return decision;
}

absl::StatusOr<std::optional<Plan>> Reconciler::Confirm(Observed& observed, std::stop_token stop) {
  const GuardedTicket& ticket = *observed.ticket;
  const absl::StatusOr<runtime::LedgerDecision> decision =
      AskQuota(observed, HeldClaim(ticket), std::move(stop));
  if (absl::IsCancelled(decision.status())) {
    return decision.status();
  }
  if (IsOver(observed)) {
    return std::optional(Decide(observed));
  }
  if (!decision.ok()) {
    return std::optional(DecideQuotaUnavailable(
        observed, absl::StrCat("quota-svc: ", std::string(Message(decision.status())))));
  }
  if (!decision->granted()) {
    return std::optional(
        DecideDenied(observed, decision->denied->message, decision->denied->next_change));
  }
  const MutexLock lock(mu_);
  Memory& memory = MemoryOf(ticket);
  memory.confirmed = true;
  memory.confirmed_for = api::HeldFor(ticket);
  return std::optional<Plan>();
}

absl::StatusOr<std::optional<Plan>> Reconciler::ConfirmEnd(const ConfirmLonger& wanted,
                                                           Observed& observed,
                                                           std::stop_token stop) {
  const GuardedTicket& ticket = *observed.ticket;
  const absl::StatusOr<runtime::LedgerDecision> decision =
      AskQuota(observed, ClaimUntil(wanted.end, ticket, observed.now), std::move(stop));
  if (absl::IsCancelled(decision.status())) {
    return decision.status();
  }
  // An end is final, whatever the answer.
  if (IsOver(observed)) {
    return std::optional(Decide(observed));
  }
  if (!decision.ok()) {
    Refuse(wanted.end, kUnavailableRetry, /*denied=*/false, observed);
    return std::optional(DecideNotLonger(observed, ""));
  }
  if (decision->granted()) {
    return std::optional<Plan>();
  }
  const runtime::LedgerDenial& denial = *decision->denied;
  const bool news = Refuse(wanted.end, AskAgainIn(denial.next_change, observed.now),
                           /*denied=*/true, observed);
  return std::optional(DecideNotLonger(
      observed, news ? absl::StrCat("the window is not made longer: ", denial.message) : ""));
}

bool Reconciler::Refuse(absl::Time end, absl::Duration wait, bool denied, Observed& observed) {
  observed.refused_end = RefusedEnd{.end = end, .wait = wait};
  const MutexLock lock(mu_);
  Memory& memory = MemoryOf(*observed.ticket);
  if (memory.refused_end != end) {
    memory.told_refusal = false;
  }
  const bool news = denied && !memory.told_refusal;
  memory.refused_end = end;
  memory.told_refusal = memory.told_refusal || denied;
  memory.ask_again = parts_.clock.Mono() + absl::ToChronoMilliseconds(wait);
  return news;
}

absl::StatusOr<std::optional<Plan>> Reconciler::Create(const CreateGuardian& wanted,
                                                       const Observed& observed,
                                                       std::stop_token stop) {
  const GuardedTicket& ticket = *observed.ticket;
  // First this, then a look at the handoffs: one that begins after it will wait for this guardian.
  const GuardianTraffic::Making making(parts_.traffic);
  const std::set<std::string> busy = parts_.world.HandoffNodes();
  if (busy.contains(ticket.node_name) || !parts_.traffic.TakeTurn(LineOf(ticket))) {
    Plan later;
    later.LookAgainIn(kBusyLook);
    return std::optional(later);
  }
  absl::StatusOr<api::Pod> made = parts_.client.Create(
      GuardianPod(ticket, wanted.incarnation, guardians_, busy), {.stop = stop});
  if (made.ok()) {
    parts_.metrics.GuardianCreated(ticket.metadata.ns);
    parts_.events.Normal(kube::RefTo(ticket), api::kEventGuardianCreated,
                         absl::StrCat("created guardian ", made->metadata.name));
    parts_.world.Wrote(Reduced(*std::move(made)));
    return std::optional<Plan>();
  }
  const std::string why(Message(made.status()));
  if (absl::IsAlreadyExists(made.status())) {
    return Adopt(wanted, observed, std::move(stop));
  }
  if (absl::IsInvalidArgument(made.status())) {
    return std::optional(DecideRefused(observed, why, /*for_good=*/true));
  }
  // Another quota, a policy, a missing PriorityClass: somebody may set it right.
  if (absl::IsPermissionDenied(made.status())) {
    return std::optional(DecideRefused(observed, why, /*for_good=*/false));
  }
  return made.status();
}

absl::StatusOr<std::optional<Plan>> Reconciler::Adopt(const CreateGuardian& wanted,
                                                      const Observed& observed,
                                                      std::stop_token stop) {
  const GuardedTicket& ticket = *observed.ticket;
  const std::string name = GuardianName(ticket.metadata.name, wanted.incarnation);
  ASSIGN_OR_RETURN(OwnPod there, parts_.client.Get<OwnPod>({ticket.metadata.ns, name},
                                                           {.stop = std::move(stop)}));
  if (IncarnationOf(ticket, there) != wanted.incarnation) {
    return std::optional(DecideRefused(
        observed, absl::StrCat("pod ", name, " exists and is not a guardian of this ticket"),
        /*for_good=*/false));
  }
  parts_.world.Wrote(std::move(there));
  return std::optional<Plan>();
}

absl::Status Reconciler::Write(const api::TicketStatus& status, Observed& observed,
                               std::stop_token stop) {
  const GuardedTicket& ticket = *observed.ticket;
  const kube::ObjectKey key = kube::KeyOf(ticket);
  const bool first_ready =
      status.phase == api::TicketPhase::kReady && !ticket.status.activation_time;
  // A whole status by PUT: what is no longer there goes, and a stale base is refused.
  absl::StatusOr<api::Ticket> written =
      parts_.client.UpdateStatus(WithStatus(ticket, status), {.stop = stop});
  if (absl::IsAborted(written.status())) {
    if (absl::StatusOr<GuardedTicket> newest =
            parts_.client.Get<GuardedTicket>(key, {.stop = stop});
        newest.ok()) {
      parts_.world.Wrote(*std::move(newest));
    }
  }
  RETURN_IF_ERROR(written.status());
  if (first_ready && ticket.metadata.creation_timestamp) {
    // A ticket does not wait before it is to have a guardian.
    parts_.metrics.BecameReady(observed.now -
                               std::max(*ticket.metadata.creation_timestamp, GuardianFrom(ticket)));
  }
  observed.ticket = parts_.world.Wrote(Reduced(*std::move(written)));
  if (status.phase == api::TicketPhase::kReady) {
    parts_.traffic.FoundRoom(LineOf(*observed.ticket));
  }
  RememberWrite(*observed.ticket);
  return absl::OkStatus();
}

absl::Status Reconciler::Delete(const DeleteGuardian& guardian, std::stop_token stop) {
  const absl::Status gone = parts_.client.Delete<api::Pod>(
      guardian.key, {.uid = guardian.uid, .grace_period_seconds = 0}, {.stop = std::move(stop)});
  // Aborted: another pod has the name by now.
  if (gone.ok() || absl::IsNotFound(gone) || absl::IsAborted(gone)) {
    parts_.world.DeletedGuardian(guardian.key, guardian.uid);
    return absl::OkStatus();
  }
  return gone;
}

absl::Status Reconciler::DeleteTicketNow(const GuardedTicket& ticket, std::stop_token stop) {
  const absl::Status gone = parts_.client.Delete<api::Ticket>(
      kube::KeyOf(ticket), {.uid = ticket.metadata.uid, .propagation_policy = "Background"},
      {.stop = std::move(stop)});
  return absl::IsNotFound(gone) || absl::IsAborted(gone) ? absl::OkStatus() : gone;
}

void Reconciler::Emit(const Plan& plan, const GuardedTicket& ticket) {
  const api::ObjectReference about = kube::RefTo(ticket);
  for (const EventNote& note : plan.events) {
    if (note.warning) {
      parts_.events.Warning(about, note.reason, note.message);
    } else {
      parts_.events.Normal(about, note.reason, note.message);
    }
  }
}

}  // namespace korder::ticket
