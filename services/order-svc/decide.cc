#include "order-svc/decide.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/validation.h"
#include "order-svc/books.h"
#include "order-svc/occurrences.h"
#include "order-svc/order_status.h"
#include "order-svc/renewal.h"
#include "order-svc/slots.h"

namespace korder::order {
namespace {

using api::StrategyType;

// A restart of quota-svc is no news; a longer silence is told in the status.
constexpr absl::Duration kNoLedgerGrace = absl::Seconds(2);

// An order that cannot be served is reported and left alone: nothing is created or deleted for it.
void Refuse(const Situation& situation, std::string_view reason, const std::string& message,
            Plan& plan) {
  const api::Order& order = situation.order();
  plan.serves = false;
  plan.status = ComputeStatus(situation, plan.memory);
  const api::Condition* was = api::FindCondition(order.status.conditions, api::kConditionFailure);
  if (was == nullptr || was->message != message) {
    plan.events.push_back({"Warning", std::string(reason), message});
  }
  SetFailure(order, reason, message, situation.now(), plan.status);
}

void LookAgainAt(absl::Time when, absl::Time now, Plan& plan) {
  if (when > now && when != absl::InfiniteFuture()) {
    plan.LookAgainIn(when - now);
  }
}

void KeepScheduled(const Situation& situation, Plan& plan) {
  const bool paused = situation.order().spec.paused;
  FollowWindows(situation, plan);
  for (const api::Window& window : situation.open) {
    const auto book = plan.memory.books.find(window.start);
    if (book == plan.memory.books.end()) {
      continue;  // the order is paused
    }
    if (book->second.skipped.empty()) {
      KeepTickets(situation, window.start, {}, plan);
    } else if (!paused) {
      RemoveFree(situation.EntriesOf(window.start), plan);
    }
    LookAgainAt(window.start, situation.now(), plan);
    LookAgainAt(window.end, situation.now(), plan);
  }
  if (const auto tick =
          situation.windows.NextTick(situation.now() + situation.windows.lead_time())) {
    LookAgainAt(*tick - situation.windows.lead_time(), situation.now(), plan);
  }
  if (paused) {
    return;
  }
  // Tickets for windows that the schedule does not have any more, and for none.
  for (const auto& [occurrence, entries] : situation.entries) {
    if (occurrence > situation.now() && !situation.IsOpen(occurrence) &&
        !situation.IsAhead(occurrence)) {
      RemoveFree(entries, plan);
    }
  }
  RemoveFree(situation.strays, plan);
}

void KeepRecurring(const Situation& situation, Plan& plan) {
  const bool at_tick = FollowTicks(situation, plan);
  KeepTickets(situation, kNoOccurrence, {.at_tick = at_tick}, plan);
  RenewTickets(situation, plan);
  if (const auto tick = situation.windows.NextTick(situation.now())) {
    LookAgainAt(*tick, situation.now(), plan);
  }
}

void KeepOneTime(const Situation& situation, Plan& plan) {
  const std::optional<absl::Time>& start = situation.order().spec.ticket_template.spec.start_time;
  const absl::Time end = start ? *start + situation.windows.duration() : absl::InfiniteFuture();
  KeepTickets(situation, kNoOccurrence, {.may_create = situation.now() < end}, plan);
  LookAgainAt(start.value_or(situation.now()), situation.now(), plan);
  LookAgainAt(end, situation.now(), plan);
}

void Keep(const Situation& situation, Plan& plan) {
  switch (situation.order().spec.strategy.type) {
    case StrategyType::kOneTime:
      return KeepOneTime(situation, plan);
    case StrategyType::kScheduled:
      return KeepScheduled(situation, plan);
    case StrategyType::kRecurring:
      return KeepRecurring(situation, plan);
  }
}

int64_t CountOutdated(const Situation& situation) {
  int64_t outdated = 0;
  for (const auto& [occurrence, entries] : situation.entries) {
    outdated += std::count_if(entries.begin(), entries.end(),
                              [](const Entry& entry) { return entry.IsLive() && entry.outdated; });
  }
  return outdated;
}

}  // namespace

Plan Decide(const Observed& observed) {
  const api::Order& order = *observed.order;
  const Situation situation = Examine(observed);
  Plan plan;
  plan.memory = Recall(situation);
  if (order.metadata.deleting()) {
    plan.serves = false;
    plan.status = order.status;  // The tickets go with the order, by garbage collection.
    return plan;
  }
  if (const std::vector<api::FieldError> errors = api::Validate(order); !errors.empty()) {
    Refuse(situation, api::kReasonInvalidSpec, api::JoinErrors(errors), plan);
    return plan;
  }
  Keep(situation, plan);
  LookAgainAt(situation.nodes_known_at, situation.now(), plan);
  plan.outdated = CountOutdated(situation);
  plan.status = ComputeStatus(situation, plan.memory);
  if (const auto delay = UntilNextAvailable(observed)) {
    plan.LookAgainIn(*delay);
  }
  if (!plan.remove.empty()) {
    plan.events.push_back({"Normal", std::string(api::kEventTicketsDeleted),
                           absl::StrCat("deleted ", plan.remove.size(),
                                        plan.remove.size() == 1 ? " ticket" : " tickets",
                                        " that the order does not want any more")});
  }
  return plan;
}

api::OrderStatus Settle(const api::Order& order, const Plan& plan, const Outcome& outcome,
                        const Memory& memory, absl::Time now) {
  api::OrderStatus status = plan.status;
  if (!plan.serves) {
    return status;
  }
  KeepInStatus(order, memory, status);
  status.collision_count += static_cast<int32_t>(outcome.taken.size());
  SetProgress(order, plan, outcome, now, status);
  if (memory.no_ledger_since && now - *memory.no_ledger_since >= kNoLedgerGrace) {
    SetNoLedger(order, outcome.no_ledger, now, status);
  }
  return status;
}

}  // namespace korder::order
