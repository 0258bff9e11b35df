#include "order-svc/order_status.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/reasons.h"

namespace korder::order {
namespace {

using api::ConditionStatus;
using api::TicketPhase;

void Set(const api::Order& order, std::string_view type, bool is_true, std::string_view reason,
         std::string message, absl::Time now, api::OrderStatus& status) {
  api::SetCondition(status.conditions,
                    {.type = std::string(type),
                     .status = is_true ? ConditionStatus::kTrue : ConditionStatus::kFalse,
                     .observed_generation = order.metadata.generation,
                     .reason = std::string(reason),
                     .message = std::move(message)},
                    now);
}

// Since when the ticket is Ready, if it is.
std::optional<absl::Time> ReadySince(const api::Ticket& ticket) {
  if (ticket.status.phase != TicketPhase::kReady) {
    return std::nullopt;
  }
  const api::Condition* ready = api::FindCondition(ticket.status.conditions, api::kConditionReady);
  return ready != nullptr ? ready->last_transition_time : absl::InfinitePast();
}

void Count(const Observed& observed, api::OrderStatus& status) {
  const absl::Duration min_ready = absl::Seconds(observed.order->spec.min_ready_seconds);
  for (const auto& ticket : observed.tickets) {
    const TicketPhase phase = ticket->status.phase;
    if (api::IsFinished(phase)) {
      ++status.terminal_replicas;
      continue;
    }
    if (ticket->metadata.deleting()) {
      continue;
    }
    ++status.replicas;
    status.updated_replicas += ticket->spec == observed.order->spec.ticket_template.spec ? 1 : 0;
    status.claimed_replicas += phase == TicketPhase::kClaimed ? 1 : 0;
    if (const std::optional<absl::Time> since = ReadySince(*ticket)) {
      ++status.ready_replicas;
      status.available_replicas += *since + min_ready <= observed.now ? 1 : 0;
    }
  }
  status.unavailable_replicas =
      std::max(0, observed.order->spec.replicas - status.available_replicas);
}

// The oldest ticket that is not Ready, as the first cause to show.
const api::Ticket* FirstPending(const Observed& observed) {
  const api::Ticket* first = nullptr;
  for (const auto& ticket : observed.tickets) {
    if (ticket->status.phase == TicketPhase::kPending && !ticket->metadata.deleting() &&
        (first == nullptr || ticket->metadata.name < first->metadata.name)) {
      first = ticket.get();
    }
  }
  return first;
}

void SetReady(const Observed& observed, const Memory& memory, api::OrderStatus& status) {
  const api::Order& order = *observed.order;
  const auto set = [&](bool ready, std::string_view reason, std::string message) {
    Set(order, api::kConditionReady, ready, reason, std::move(message), observed.now, status);
  };
  // Slots that are counted but hold nothing live were used up, and the policy does not replace
  // them.
  const int64_t live = status.replicas - status.claimed_replicas;
  const bool filled = memory.slots.size() >= order.spec.replicas;
  if (filled && status.replicas == 0 && order.spec.replicas > 0) {
    return set(true, api::kReasonCompleted, "all tickets are finished and are not replaced");
  }
  if (filled && status.available_replicas >= live) {
    return set(true, api::kReasonAllTicketsReady,
               absl::StrCat(status.available_replicas, " tickets hold room, ",
                            status.claimed_replicas, " are claimed"));
  }
  const api::Ticket* pending = FirstPending(observed);
  std::string cause = absl::StrCat(status.available_replicas, " of ", order.spec.replicas,
                                   " tickets are available");
  if (pending != nullptr && !pending->status.reason.empty()) {
    absl::StrAppend(&cause, "; ticket ", pending->metadata.name, ": ", pending->status.reason,
                    pending->status.message.empty() ? "" : ": ", pending->status.message);
  }
  set(false, api::kReasonTicketsNotReady, std::move(cause));
}

}  // namespace

api::OrderStatus ComputeStatus(const Observed& observed, const Memory& memory) {
  const api::Order& order = *observed.order;
  api::OrderStatus status;
  // What other parts wrote stays: conditions keep their transition times.
  status.conditions = order.status.conditions;
  status.collision_count = order.status.collision_count;
  status.observed_generation = order.metadata.generation;
  status.selector = api::EffectiveSelector(order).ToString();
  status.slots = memory.slots.ToString();
  status.next_ordinal = memory.next_ordinal;
  Count(observed, status);
  Set(order, api::kConditionSuspended, order.spec.paused,
      order.spec.paused ? api::kReasonPaused : api::kReasonNotPaused,
      order.spec.paused ? "no ticket is created or deleted while spec.paused is true" : "",
      observed.now, status);
  SetReady(observed, memory, status);
  return status;
}

void SetProgress(const api::Order& order, const Plan& plan, const Outcome& outcome, absl::Time now,
                 api::OrderStatus& status) {
  if (!plan.serves) {
    return;  // SetFailure has said why.
  }
  Set(order, api::kConditionFailure, false, api::kReasonNoFailure, "", now, status);
  const bool denied = !outcome.denied.empty();
  Set(order, api::kConditionQuotaLimited, denied,
      denied ? api::kReasonQuotaDenied : api::kReasonWithinQuota, outcome.denied, now, status);
  if (denied) {
    Set(order, api::kConditionReady, false, api::kReasonQuotaDenied, outcome.denied, now, status);
  }
  const bool pending = status.ready_replicas + status.claimed_replicas < status.replicas;
  const bool busy = !plan.create.empty() || !plan.remove.empty() || pending;
  Set(order, api::kConditionProgressing, busy && !denied,
      !plan.remove.empty() ? api::kReasonDeletingTickets
      : busy               ? api::kReasonCreatingTickets
                           : api::kReasonUpToDate,
      "", now, status);
}

void SetNoLedger(const api::Order& order, const std::string& why, absl::Time now,
                 api::OrderStatus& status) {
  Set(order, api::kConditionReady, false, api::kReasonQuotaUnavailable,
      absl::StrCat("quota-svc cannot be asked, so no ticket is created: ", why), now, status);
}

void SetFailure(const api::Order& order, std::string_view reason, const std::string& message,
                absl::Time now, api::OrderStatus& status) {
  Set(order, api::kConditionFailure, true, reason, message, now, status);
  Set(order, api::kConditionReady, false, reason, message, now, status);
  Set(order, api::kConditionProgressing, false, reason, "", now, status);
}

std::optional<absl::Duration> UntilNextAvailable(const Observed& observed) {
  const absl::Duration min_ready = absl::Seconds(observed.order->spec.min_ready_seconds);
  std::optional<absl::Duration> soonest;
  for (const auto& ticket : observed.tickets) {
    if (const std::optional<absl::Time> since = ReadySince(*ticket)) {
      const absl::Duration left = *since + min_ready - observed.now;
      if (left > absl::ZeroDuration() && (!soonest || left < *soonest)) {
        soonest = left;
      }
    }
  }
  return soonest;
}

}  // namespace korder::order
