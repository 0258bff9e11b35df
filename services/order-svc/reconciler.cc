#include "order-svc/reconciler.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/status_macros.h"

namespace korder::order {
namespace {

// Reservations asked for in one call, and creations under way at one time.
constexpr size_t kBatch = 500;
constexpr size_t kParallelWrites = 8;
// Counts change with every ticket; conditions that turn are written at once.
constexpr absl::Duration kStatusInterval = absl::Milliseconds(500);
constexpr absl::Duration kStaleLimit = absl::Seconds(2);
constexpr absl::Duration kDeniedRetry = absl::Seconds(5);

// Unique for ever, so that a reservation of a ticket that is gone is never taken for a new one.
std::string NewReservationId() {
  thread_local std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&id, absl::Hex(random(), absl::kZeroPad8));
  }
  return id;
}

bool SameConditions(const std::vector<api::Condition>& a, const std::vector<api::Condition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.type == y.type && x.status == y.status && x.reason == y.reason;
  });
}

}  // namespace

Reconciler::Reconciler(kube::Client& client, const kube::Store<api::Order>& orders,
                       const kube::Store<api::Ticket>& tickets, Ledger& ledger,
                       kube::EventRecorder& events, const Clock& clock)
    : client_(client),
      orders_(orders),
      tickets_(tickets),
      ledger_(ledger),
      events_(events),
      clock_(clock) {}

void Reconciler::ForgetAll() {
  const MutexLock lock(mu_);
  memory_.clear();
  written_.clear();
}

std::optional<Observed> Reconciler::Observe(const kube::ObjectKey& key) {
  Observed observed{.order = orders_.Get(key), .now = clock_.Now()};
  const MutexLock lock(mu_);
  if (!observed.order) {
    if (const auto it = written_.find(key); it != written_.end()) {
      memory_.erase(it->second.uid);
      written_.erase(it);
    }
    return std::nullopt;
  }
  observed.tickets = tickets_.ByIndex(kOwnerIndex, observed.order->metadata.uid);
  if (const auto it = memory_.find(observed.order->metadata.uid); it != memory_.end()) {
    observed.memory = it->second;
  }
  return observed;
}

absl::StatusOr<kube::Result> Reconciler::Reconcile(const kube::ObjectKey& key,
                                                   std::stop_token stop) {
  const std::optional<Observed> observed = Observe(key);
  if (!observed) {
    return kube::Result::Done();
  }
  const api::Order& order = *observed->order;
  const Plan plan = Decide(*observed);
  ASSIGN_OR_RETURN(Outcome outcome, Create(order, plan.create, stop));
  const absl::Status deleted = Delete(plan.remove, outcome, stop);
  {
    const MutexLock lock(mu_);
    memory_[order.metadata.uid] = Remember(plan, outcome, observed->now);
  }
  RETURN_IF_ERROR(deleted);
  Emit(order, plan, outcome);

  std::optional<absl::Duration> again = plan.requeue_after;
  const auto no_later_than = [&again](absl::Duration delay) {
    again = again ? std::min(*again, delay) : delay;
  };
  if (outcome.again) {
    no_later_than(absl::ZeroDuration());
  }
  if (!outcome.denied.empty()) {
    const absl::Duration change =
        outcome.denied_until.value_or(absl::InfiniteFuture()) - observed->now;
    no_later_than(std::clamp(change, absl::Milliseconds(100), kDeniedRetry));
  }
  const api::OrderStatus status = Settle(order, plan, outcome, observed->now);
  if (!order.metadata.deleting() && status != order.status) {
    if (const absl::Duration delay = WriteDelay(order, status); delay > absl::ZeroDuration()) {
      no_later_than(delay);
    } else {
      RETURN_IF_ERROR(WriteStatus(order, status, stop));
    }
  }
  if (!outcome.no_ledger.empty()) {
    return UnavailableError(outcome.no_ledger);
  }
  return kube::Result::From(again);
}

absl::StatusOr<Outcome> Reconciler::Create(const api::Order& order,
                                           const std::vector<NewTicket>& wanted,
                                           std::stop_token stop) {
  Outcome outcome;
  if (wanted.empty()) {
    return outcome;
  }
  const size_t count = std::min(wanted.size(), kBatch);
  std::vector<std::string> ids(count);
  std::generate(ids.begin(), ids.end(), NewReservationId);
  const api::TicketSpec& spec = wanted[0].ticket.spec;
  runtime::LedgerClaim claim{.requests = api::EffectiveRequests(spec),
                             .labels = wanted[0].ticket.metadata.labels};
  if (spec.duration) {
    claim.duration = spec.duration->value();
  }
  const auto reserved = ledger_.Reserve(order.metadata.ns, claim, ids, stop);
  if (absl::IsUnavailable(reserved.status()) || absl::IsDeadlineExceeded(reserved.status())) {
    outcome.no_ledger = Message(reserved.status());
    return outcome;
  }
  ASSIGN_OR_RETURN(const auto decisions, reserved);

  std::vector<absl::Status> made(count);
  ParallelFor(count, kParallelWrites, [&](size_t i) {
    if (!decisions[i].granted()) {
      return;
    }
    api::Ticket ticket = wanted[i].ticket;
    ticket.metadata.annotations[std::string(api::kAnnotationGrant)] = ids[i];
    made[i] = client_.Create(ticket, {.stop = stop}).status();
  });

  return Judge(order, wanted, decisions, ids, made, stop);
}

absl::StatusOr<Outcome> Reconciler::Judge(const api::Order& order,
                                          const std::vector<NewTicket>& wanted,
                                          const std::vector<runtime::LedgerDecision>& decisions,
                                          const std::vector<std::string>& ids,
                                          const std::vector<absl::Status>& made,
                                          std::stop_token stop) {
  Outcome outcome{.again = ids.size() < wanted.size()};
  std::vector<std::string> unused;
  absl::Status failure;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!decisions[i].granted()) {
      if (outcome.denied.empty()) {
        outcome.denied = decisions[i].denied->message;
        outcome.denied_until = decisions[i].denied->next_change;
      }
      continue;
    }
    if (made[i].ok()) {
      outcome.created.push_back(wanted[i].ordinal);
      continue;
    }
    // After an unknown outcome the ticket may exist and carry the grant: then it keeps it, and
    // otherwise the grant lapses by itself.
    if (!IsRetryable(made[i])) {
      unused.push_back(ids[i]);
    }
    if (absl::IsAlreadyExists(made[i])) {
      ASSIGN_OR_RETURN(const bool ours, IsOurs(order, wanted[i].ticket, stop));
      (ours ? outcome.created : outcome.taken).push_back(wanted[i].ordinal);
      continue;
    }
    outcome.failed.push_back(wanted[i].ordinal);
    failure.Update(made[i]);
  }
  if (!unused.empty()) {
    failure.Update(ledger_.Release(unused, stop));
  }
  if (!failure.ok()) {
    if (outcome.created.empty()) {
      return failure;
    }
    outcome.again = true;
    log::Warn(
        "some tickets were not created",
        {{"ns", order.metadata.ns}, {"order", order.metadata.name}, {"error", ToString(failure)}});
  }
  return outcome;
}

absl::StatusOr<bool> Reconciler::IsOurs(const api::Order& order, const api::Ticket& wanted,
                                        std::stop_token stop) {
  const absl::StatusOr<api::Ticket> there =
      client_.Get<api::Ticket>(kube::KeyOf(wanted), {.stop = std::move(stop)});
  if (absl::IsNotFound(there.status())) {
    return false;  // Gone meanwhile; the name is not used again.
  }
  RETURN_IF_ERROR(there.status());
  const api::OwnerReference* owner = api::ControllerOf(there->metadata);
  return owner != nullptr && owner->uid == order.metadata.uid;
}

absl::Status Reconciler::Delete(const std::vector<DeleteTicket>& tickets, Outcome& outcome,
                                std::stop_token stop) {
  std::vector<absl::Status> gone(tickets.size());
  ParallelFor(tickets.size(), kParallelWrites, [&](size_t i) {
    gone[i] = client_.Delete<api::Ticket>(
        tickets[i].key, {.uid = tickets[i].uid, .propagation_policy = "Background"},
        {.stop = stop});
  });
  absl::Status failure;
  for (size_t i = 0; i < tickets.size(); ++i) {
    if (gone[i].ok() || absl::IsNotFound(gone[i])) {
      outcome.deleted.push_back(tickets[i].ordinal);
    } else {
      failure.Update(gone[i]);
    }
  }
  return failure;
}

absl::Duration Reconciler::WriteDelay(const api::Order& order, const api::OrderStatus& status) {
  const MutexLock lock(mu_);
  const auto it = written_.find(kube::KeyOf(order));
  if (it == written_.end() || it->second.uid != order.metadata.uid) {
    return absl::ZeroDuration();
  }
  const absl::Duration since = absl::FromChrono(clock_.Mono() - it->second.at);
  // The store does not show our last write yet: one more would be refused. The watch brings us
  // back; the delay is for a write whose answer was lost before it took effect.
  if (it->second.base_version == order.metadata.resource_version && since < kStaleLimit) {
    return kStaleLimit - since;
  }
  if (!SameConditions(status.conditions, order.status.conditions) ||
      status.observed_generation != order.status.observed_generation) {
    return absl::ZeroDuration();
  }
  return kStatusInterval - since;
}

absl::Status Reconciler::WriteStatus(const api::Order& order, const api::OrderStatus& status,
                                     std::stop_token stop) {
  const kube::ObjectKey key = kube::KeyOf(order);
  {
    const MutexLock lock(mu_);
    written_[key] = {clock_.Mono(), order.metadata.uid, order.metadata.resource_version};
  }
  // A whole status by PUT: what is no longer there goes, and a stale base is refused.
  api::Order updated = order;
  updated.status = status;
  const absl::Status result = client_.Update(updated, "status", {.stop = stop}).status();
  return absl::IsNotFound(result) ? absl::OkStatus() : result;
}

void Reconciler::Emit(const api::Order& order, const Plan& plan, const Outcome& outcome) {
  const api::ObjectReference about = kube::RefTo(order);
  if (!outcome.created.empty()) {
    events_.Normal(about, api::kEventTicketsCreated,
                   absl::StrCat("created ", outcome.created.size(),
                                outcome.created.size() == 1 ? " ticket" : " tickets"));
  }
  if (!outcome.denied.empty()) {
    events_.Warning(about, api::kEventQuotaDenied, outcome.denied);
  }
  for (const EventNote& note : plan.events) {
    if (note.type == "Warning") {
      events_.Warning(about, note.reason, note.message);
    } else {
      events_.Normal(about, note.reason, note.message);
    }
  }
}

}  // namespace korder::order
