#include "ticket-svc/reconciler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/reasons.h"
#include "base/status_macros.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// A write whose answer was lost may never show: then go on without it.
constexpr absl::Duration kStaleLimit = absl::Seconds(2);

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

absl::Status IgnoreGone(absl::Status status) {
  // ABORTED: the object of that name is another one by now.
  return absl::IsNotFound(status) || absl::IsAborted(status) ? absl::OkStatus() : status;
}

}  // namespace

Reconciler::Reconciler(ReconcilerParts parts, GuardianOptions guardian)
    : parts_(parts), guardian_(std::move(guardian)) {}

void Reconciler::ForgetAll() {
  const MutexLock lock(mu_);
  memory_.clear();
}

std::optional<Observed> Reconciler::Observe(const kube::ObjectKey& key) {
  Observed observed{.ticket = parts_.world.tickets.store().Get(key), .now = parts_.clock.Now()};
  const MutexLock lock(mu_);
  if (!observed.ticket) {
    memory_.erase(key);
    return std::nullopt;
  }
  const api::Ticket& ticket = *observed.ticket;
  for (Guardian& guardian : parts_.world.GuardiansOf(ticket.metadata.uid)) {
    if (IncarnationOf(ticket, *guardian.pod) > 0) {
      observed.guardians.push_back(std::move(guardian));
    }
  }
  if (!ticket.status.claimed_pod_uid.empty()) {
    observed.claimed_pod = parts_.world.ClaimPod(ticket.status.claimed_pod_uid);
  }
  Memory& memory = memory_[key];
  if (memory.uid != ticket.metadata.uid) {
    memory = {.uid = ticket.metadata.uid};
  }
  observed.charge_confirmed = memory.confirmed || ticket.status.incarnation >= 1;
  if (memory.written_at) {
    observed.since_status_write = absl::FromChrono(parts_.clock.Mono() - *memory.written_at);
  }
  return observed;
}

absl::Status Reconciler::FindClaimedPod(Observed& observed, std::stop_token stop) {
  const api::TicketStatus& status = observed.ticket->status;
  if (status.phase != api::TicketPhase::kClaimed || observed.claimed_pod) {
    return absl::OkStatus();
  }
  // Out of sight of the watch, which follows a label, does not mean gone.
  const std::string name = status.claimed_pod.substr(status.claimed_pod.find('/') + 1);
  absl::StatusOr<api::Pod> pod =
      parts_.client.Get<api::Pod>({observed.ticket->metadata.ns, name}, {.stop = std::move(stop)});
  if (absl::IsNotFound(pod.status())) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(pod.status());
  if (pod->metadata.uid == status.claimed_pod_uid) {
    observed.claimed_pod = std::make_shared<const api::Pod>(*std::move(pod));
  }
  return absl::OkStatus();
}

bool Reconciler::IsStale(const api::Ticket& ticket) {
  const MutexLock lock(mu_);
  const auto it = memory_.find(kube::KeyOf(ticket));
  return it != memory_.end() && it->second.written_at &&
         it->second.base_version == ticket.metadata.resource_version &&
         absl::FromChrono(parts_.clock.Mono() - *it->second.written_at) < kStaleLimit;
}

absl::StatusOr<kube::Result> Reconciler::Reconcile(const kube::ObjectKey& key,
                                                   std::stop_token stop) {
  std::optional<Observed> observed = Observe(key);
  if (!observed) {
    return kube::Result::Done();
  }
  RETURN_IF_ERROR(FindClaimedPod(*observed, stop));
  if (IsStale(*observed->ticket)) {
    return kube::Result::After(kStaleLimit);  // The watch brings us back before.
  }
  return Perform(*observed, Decide(*observed), std::move(stop));
}

absl::StatusOr<kube::Result> Reconciler::Perform(const Observed& observed, const Plan& plan,
                                                 std::stop_token stop) {
  std::optional<absl::Duration> again = plan.requeue_after;
  for (const Action& action : plan.actions) {
    ASSIGN_OR_RETURN(const Detour detour, Apply(observed, action, stop));
    if (detour.plan) {
      return Perform(observed, *detour.plan, std::move(stop));
    }
    if (detour.again) {
      again = again ? std::min(*again, *detour.again) : detour.again;
    }
  }
  const api::ObjectReference about = kube::RefTo(*observed.ticket);
  for (const EventNote& note : plan.events) {
    if (note.warning) {
      parts_.events.Warning(about, note.reason, note.message);
    } else {
      parts_.events.Normal(about, note.reason, note.message);
    }
  }
  return kube::Result::From(again);
}

absl::StatusOr<Reconciler::Detour> Reconciler::Apply(const Observed& observed, const Action& action,
                                                     std::stop_token stop) {
  const api::Ticket& ticket = *observed.ticket;
  const auto done = [](const absl::Status& status) -> absl::StatusOr<Detour> {
    RETURN_IF_ERROR(status);
    return Detour{};
  };
  return std::visit(
      Overloaded{
          [&](const ConfirmCharge&) { return Confirm(observed, stop); },
          [&](const CreateGuardian& create) { return Create(observed, create.incarnation, stop); },
          [&](const DeleteGuardian& gone) {
            return done(IgnoreGone(parts_.client.Delete<api::Pod>(
                gone.key, {.uid = gone.uid, .grace_period_seconds = 0}, {.stop = stop})));
          },
          [&](const WriteStatus& write) { return done(WriteStatusOf(ticket, write.status, stop)); },
          [&](const StepHandoff&) -> absl::StatusOr<Detour> {
            ASSIGN_OR_RETURN(HandoffProgress progress, parts_.handoffs.Run(ticket, stop));
            if (progress.status) {
              RETURN_IF_ERROR(WriteStatusOf(ticket, *progress.status, stop));
            }
            return Detour{.again = progress.again};
          },
          [&](const DeleteTicket&) {
            return done(IgnoreGone(parts_.client.Delete<api::Ticket>(
                kube::KeyOf(ticket), {.uid = ticket.metadata.uid}, {.stop = stop})));
          }},
      action);
}

absl::StatusOr<Reconciler::Detour> Reconciler::Confirm(const Observed& observed,
                                                       std::stop_token stop) {
  if (observed.charge_confirmed) {
    return Detour{};
  }
  const api::Ticket& ticket = *observed.ticket;
  runtime::LedgerClaim claim{.requests = api::EffectiveRequests(ticket.spec),
                             .labels = ticket.metadata.labels};
  if (ticket.spec.duration) {
    claim.duration = ticket.spec.duration->value();
  }
  const std::string grant(api::ValueOf(ticket.metadata.annotations, api::kAnnotationGrant));
  const absl::StatusOr<runtime::LedgerDecision> decision =
      parts_.ledger.Confirm({ticket.metadata.ns, ticket.metadata.name, ticket.metadata.uid}, grant,
                            claim, std::move(stop));
  if (absl::IsCancelled(decision.status())) {
    return decision.status();
  }
  if (!decision.ok()) {
    return Detour{.plan =
                      DecideQuotaUnavailable(observed, std::string(Message(decision.status())))};
  }
  if (!decision->granted()) {
    return Detour{
        .plan = DecideDenied(observed, decision->denied->message, decision->denied->next_change)};
  }
  const MutexLock lock(mu_);
  memory_[kube::KeyOf(ticket)].confirmed = true;
  return Detour{};
}

absl::StatusOr<Reconciler::Detour> Reconciler::Create(const Observed& observed, int32_t incarnation,
                                                      std::stop_token stop) {
  const api::Ticket& ticket = *observed.ticket;
  const api::Pod guardian = GuardianPod(ticket, incarnation, guardian_);
  const absl::Status status = parts_.client.Create(guardian, {.stop = std::move(stop)}).status();
  if (status.ok()) {
    parts_.events.Normal(kube::RefTo(ticket), api::kEventGuardianCreated,
                         absl::StrCat("created guardian ", guardian.metadata.name));
    return Detour{};
  }
  if (absl::IsAlreadyExists(status) || absl::IsNotFound(status)) {
    return Detour{.again = absl::Seconds(1)};  // Made before, or the namespace is on its way out.
  }
  if (absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status)) {
    return Detour{.plan = DecideRefused(observed, std::string(Message(status)),
                                        absl::IsInvalidArgument(status))};
  }
  return status;
}

absl::Status Reconciler::WriteStatusOf(const api::Ticket& ticket, const api::TicketStatus& status,
                                       std::stop_token stop) {
  api::Ticket updated = ticket;
  updated.status = status;
  // Based on what was observed: a change since is a conflict, and the decision is made anew.
  const absl::Status result =
      parts_.client.Update(updated, "status", {.stop = std::move(stop)}).status();
  if (absl::IsNotFound(result)) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(result);
  if (status.phase == api::TicketPhase::kReady && !ticket.status.activation_time) {
    parts_.metrics.ReadyAfter(parts_.clock.Now() -
                              ticket.metadata.creation_timestamp.value_or(parts_.clock.Now()));
  }
  const MutexLock lock(mu_);
  Memory& memory = memory_[kube::KeyOf(ticket)];
  memory.base_version = ticket.metadata.resource_version;
  memory.written_at = parts_.clock.Mono();
  return absl::OkStatus();
}

}  // namespace korder::ticket
