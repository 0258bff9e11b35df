#include "order-svc/decide.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/validation.h"
#include "order-svc/order_status.h"

namespace korder::order {
namespace {

using api::TicketPhase;
using TicketPtr = std::shared_ptr<const api::Ticket>;

// Longer stems would make ticket names that are no valid label values (63 characters).
constexpr size_t kMaxStem = 45;

// A restart of quota-svc is no news; a longer silence is told in the status.
constexpr absl::Duration kNoLedgerGrace = absl::Seconds(2);

// FNV-1a: stable over processes and versions, unlike std::hash.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

bool IsLive(const api::Ticket& ticket) {
  return !ticket.metadata.deleting() && api::IsLive(ticket.status.phase);
}

bool WasClaimed(const api::Ticket& ticket) {
  return ticket.status.phase == TicketPhase::kClaimed ||
         ticket.status.phase == TicketPhase::kCompleted;
}

// What the order remembers, from this process or, at the first look, from its status; corrected by
// the tickets that are there. The order in which they come means nothing.
Memory Recall(const Observed& observed) {
  Memory memory;
  if (observed.memory) {
    memory = *observed.memory;
  } else {
    const api::OrderStatus& status = observed.order->status;
    memory.slots = OrdinalSet::Parse(status.slots).value_or(OrdinalSet());
    memory.next_ordinal = status.next_ordinal;
  }
  const int64_t known_below = memory.next_ordinal;
  std::set<int64_t> still_shown;
  for (const TicketPtr& ticket : observed.tickets) {
    const int64_t ordinal = OrdinalOf(*ticket);
    if (ordinal < 0) {
      continue;
    }
    memory.unseen.erase(ordinal);
    memory.unsure.erase(ordinal);
    memory.next_ordinal = std::max(memory.next_ordinal, ordinal + 1);
    if (memory.deleted.contains(ordinal)) {
      still_shown.insert(ordinal);
      continue;
    }
    // What holds room counts, however it came to be: made just before a crash, made by a request
    // whose answer was lost, or given up by a deletion that failed. What is finished counts unless
    // its slot was given up before.
    const bool holds = !ticket->metadata.deleting() && !api::IsFinished(ticket->status.phase);
    if (holds || ordinal >= known_below) {
      memory.slots.Add(ordinal);
    }
  }
  memory.deleted = std::move(still_shown);
  return memory;
}

// Frees the slots whose tickets are to be replaced.
void ApplyRefreshPolicy(const Observed& observed, Memory& memory) {
  const api::RefreshPolicy policy = observed.order->spec.strategy.refresh_policy;
  if (policy == api::RefreshPolicy::kNever) {
    return;
  }
  const bool always = policy == api::RefreshPolicy::kAlways;
  std::set<int64_t> present;
  for (const TicketPtr& ticket : observed.tickets) {
    const int64_t ordinal = OrdinalOf(*ticket);
    present.insert(ordinal);
    if (WasClaimed(*ticket) || (always && !IsLive(*ticket))) {
      memory.slots.Remove(ordinal);
    }
  }
  if (always) {
    for (const int64_t ordinal : memory.slots.Values()) {
      if (!present.contains(ordinal) && !memory.unseen.contains(ordinal)) {
        memory.slots.Remove(ordinal);
      }
    }
  }
}

// Pending before Ready, among equals the newest.
bool GoesFirst(const TicketPtr& a, const TicketPtr& b) {
  const bool a_pending = a->status.phase == TicketPhase::kPending;
  const bool b_pending = b->status.phase == TicketPhase::kPending;
  return a_pending != b_pending ? a_pending : OrdinalOf(*a) > OrdinalOf(*b);
}

void ScaleDown(const Observed& observed, Plan& plan) {
  int64_t excess = plan.memory.slots.size() - observed.order->spec.replicas;
  if (excess <= 0) {
    return;
  }
  std::vector<TicketPtr> live;
  std::set<int64_t> holding;
  for (const TicketPtr& ticket : observed.tickets) {
    const int64_t ordinal = OrdinalOf(*ticket);
    if (!plan.memory.slots.Contains(ordinal)) {
      continue;
    }
    // A claimed ticket is never removed, and one in the middle of a handoff is as good as claimed.
    if (ticket->status.phase == TicketPhase::kClaimed || ticket->status.handoff) {
      holding.insert(ordinal);
    } else if (IsLive(*ticket)) {
      live.push_back(ticket);
      holding.insert(ordinal);
    }
  }
  // Slots that hold nothing any more cost nothing to give up.
  for (const int64_t ordinal : plan.memory.slots.Values()) {
    if (excess > 0 && !holding.contains(ordinal) && !plan.memory.unseen.contains(ordinal)) {
      plan.memory.slots.Remove(ordinal);
      --excess;
    }
  }
  std::sort(live.begin(), live.end(), GoesFirst);
  for (const TicketPtr& ticket : live) {
    if (excess-- <= 0) {
      break;
    }
    plan.memory.slots.Remove(OrdinalOf(*ticket));
    plan.remove.push_back({kube::KeyOf(*ticket), ticket->metadata.uid, OrdinalOf(*ticket)});
  }
}

api::Ticket MakeTicket(const api::Order& order, int64_t ordinal) {
  api::Ticket ticket;
  ticket.metadata.name = TicketName(order, ordinal);
  ticket.metadata.ns = order.metadata.ns;
  ticket.metadata.labels = order.spec.ticket_template.metadata.labels;
  ticket.metadata.labels[std::string(api::kLabelOrder)] = order.metadata.name;
  ticket.metadata.annotations = order.spec.ticket_template.metadata.annotations;
  ticket.metadata.owner_references = {api::ControllerReference(order)};
  ticket.spec = order.spec.ticket_template.spec;
  return ticket;
}

void ScaleUp(const Observed& observed, Plan& plan) {
  const int64_t owed = observed.order->spec.replicas - plan.memory.slots.size();
  auto unsure = plan.memory.unsure.begin();
  int64_t fresh = plan.memory.next_ordinal;
  for (int64_t i = 0; i < owed; ++i) {
    const int64_t ordinal = unsure != plan.memory.unsure.end() ? *unsure++ : fresh++;
    plan.create.push_back({ordinal, MakeTicket(*observed.order, ordinal)});
  }
}

// What this order-svc does not serve yet; empty when it serves the order.
std::string Unsupported(const api::OrderSpec& spec) {
  if (spec.daemon_set) {
    return "spec.daemonSet: orders with one ticket per node are not served yet";
  }
  if (spec.strategy.type != api::StrategyType::kOneTime) {
    return absl::StrCat("spec.strategy.type: ", std::string(api::Name(spec.strategy.type)),
                        " orders are not served yet");
  }
  return "";
}

// An order that cannot be served is reported and left alone: nothing is created or deleted for it.
void Refuse(const Observed& observed, std::string_view reason, const std::string& message,
            Plan& plan) {
  plan.serves = false;
  plan.status = ComputeStatus(observed, plan.memory);
  const api::Condition* was =
      api::FindCondition(observed.order->status.conditions, api::kConditionFailure);
  if (was == nullptr || was->message != message) {
    plan.events.push_back({"Warning", std::string(reason), message});
  }
  SetFailure(*observed.order, reason, message, observed.now, plan.status);
}

void AddEvents(const Plan& plan, std::vector<EventNote>& events) {
  if (!plan.remove.empty()) {
    events.push_back({"Normal", std::string(api::kEventTicketsDeleted),
                      absl::StrCat("deleted ", plan.remove.size(), " tickets to scale down")});
  }
}

}  // namespace

Plan Decide(const Observed& observed) {
  const api::Order& order = *observed.order;
  Plan plan;
  plan.memory = Recall(observed);
  if (order.metadata.deleting()) {
    plan.serves = false;
    plan.status = order.status;  // The tickets go with the order, by garbage collection.
    return plan;
  }
  if (const std::vector<api::FieldError> errors = api::Validate(order); !errors.empty()) {
    Refuse(observed, api::kReasonInvalidSpec, api::JoinErrors(errors), plan);
    return plan;
  }
  if (const std::string unsupported = Unsupported(order.spec); !unsupported.empty()) {
    Refuse(observed, kReasonNotSupportedYet, unsupported, plan);
    return plan;
  }
  ApplyRefreshPolicy(observed, plan.memory);
  if (!order.spec.paused) {
    ScaleDown(observed, plan);
    ScaleUp(observed, plan);
  }
  plan.status = ComputeStatus(observed, plan.memory);
  plan.requeue_after = UntilNextAvailable(observed);
  AddEvents(plan, plan.events);
  return plan;
}

Memory Remember(const Plan& plan, const Outcome& outcome, absl::Time now) {
  Memory memory = plan.memory;
  const auto used = [&memory](int64_t ordinal) {
    memory.next_ordinal = std::max(memory.next_ordinal, ordinal + 1);
    memory.unsure.erase(ordinal);
  };
  for (const int64_t ordinal : outcome.created) {
    memory.slots.Add(ordinal);
    memory.unseen.insert(ordinal);
    used(ordinal);
  }
  for (const int64_t ordinal : outcome.taken) {
    used(ordinal);
  }
  for (const int64_t ordinal : outcome.failed) {
    if (ordinal < memory.next_ordinal) {
      memory.unsure.insert(ordinal);
    }
  }
  if (outcome.no_ledger.empty()) {
    memory.no_ledger_since.reset();
  } else if (!memory.no_ledger_since) {
    memory.no_ledger_since = now;
  }
  memory.deleted.insert(outcome.deleted.begin(), outcome.deleted.end());
  return memory;
}

api::OrderStatus Settle(const api::Order& order, const Plan& plan, const Outcome& outcome,
                        absl::Time now) {
  api::OrderStatus status = plan.status;
  const Memory memory = Remember(plan, outcome, now);
  status.slots = memory.slots.ToString();
  status.next_ordinal = memory.next_ordinal;
  status.collision_count += static_cast<int32_t>(outcome.taken.size());
  SetProgress(order, plan, outcome, now, status);
  if (memory.no_ledger_since && now - *memory.no_ledger_since >= kNoLedgerGrace) {
    SetNoLedger(order, outcome.no_ledger, now, status);
  }
  return status;
}

std::string TicketName(const api::Order& order, int64_t ordinal) {
  std::string stem = order.metadata.name;
  if (stem.size() > kMaxStem) {
    stem = absl::StrCat(stem.substr(0, kMaxStem - 9), "-",
                        absl::Hex(Hash(order.metadata.name), absl::kZeroPad8));
  }
  return absl::StrCat(stem, "-", ordinal);
}

int64_t OrdinalOf(const api::Ticket& ticket) {
  const std::string& name = ticket.metadata.name;
  const size_t dash = name.rfind('-');
  int64_t ordinal = -1;
  if (dash == std::string::npos || !absl::SimpleAtoi(name.substr(dash + 1), &ordinal) ||
      ordinal < 0) {
    return -1;
  }
  return ordinal;
}

}  // namespace korder::order
