#include "order-svc/reconciler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "json/writer.h"
#include "order-svc/books.h"
#include "order-svc/order_status.h"
#include "order-svc/ticket_form.h"
#include "runtime/ledger_claim.h"

namespace korder::order {
namespace {

// Requests under way at one time.
constexpr size_t kParallelWrites = 8;
// Counts change with every ticket; conditions and windows that turn are written at once, but for
// the first status of an Order whose tickets are on their way: it is usually Ready before that is
// worth a write. The more tickets, the more change in the same time.
constexpr absl::Duration kStatusInterval = absl::Milliseconds(500);
constexpr absl::Duration kStatusIntervalPerTicket = absl::Milliseconds(5);
constexpr absl::Duration kLongestStatusInterval = absl::Seconds(2);
// Usually the watch shows a new ticket within milliseconds.
constexpr absl::Duration kMissingLimit = absl::Seconds(5);
constexpr absl::Duration kStaleLimit = absl::Seconds(2);
// After a denial. Quotas change when somebody gives room back, which may be this order itself.
constexpr absl::Duration kDeniedRetry = absl::Milliseconds(200);
constexpr absl::Duration kLongestDeniedRetry = absl::Seconds(5);

// Unique for ever, so that a reservation of a ticket that is gone is never taken for a new one.
std::string NewReservationId() {
  std::string id;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&id, absl::Hex(RandomWord(), absl::kZeroPad8));
  }
  return id;
}

absl::Duration DeniedRetry(int denials) {
  return std::min(kDeniedRetry * (1 << std::clamp(denials - 1, 0, 8)), kLongestDeniedRetry);
}

// Of its claim, what all tickets of a batch share: the node is known when one is confirmed.
runtime::LedgerClaim SharedClaim(const api::Ticket& ticket) {
  runtime::LedgerClaim claim = runtime::ClaimOf(ticket);
  claim.labels.erase(std::string(api::kLabelNode));
  return claim;
}

std::string RenewalPatch(const RenewTicket& ticket) {
  json::Writer w;
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  w.Key("uid");
  w.String(ticket.uid);
  w.Key("resourceVersion");
  w.String(ticket.resource_version);
  w.Key("annotations");
  w.BeginObject();
  w.Key(api::kAnnotationRenewed);
  w.String(absl::FormatTime(absl::RFC3339_sec, ticket.tick, absl::UTCTimeZone()));
  w.EndObject();
  w.EndObject();
  w.Key("spec");
  w.BeginObject();
  w.Key("duration");
  w.String(api::DurationField(ticket.duration).text());
  w.EndObject();
  w.EndObject();
  return w.Take();
}

bool SameConditions(const std::vector<api::Condition>& a, const std::vector<api::Condition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.type == y.type && x.status == y.status && x.reason == y.reason;
  });
}

}  // namespace

void Reconciler::ForgetAll() {
  parts_.pace.ForgetAll();
  const MutexLock lock(mu_);
  known_.clear();
  written_.clear();
}

void Reconciler::Gone(const OrderTicket& ticket) {
  const auto& owner = ticket.form->owner;
  if (!owner) {
    return;
  }
  const MutexLock lock(mu_);
  const auto it = known_.find(owner->uid);
  if (it == known_.end()) {
    return;
  }
  const int64_t ordinal = OrdinalOf(ticket.metadata.name);
  it->second.gone.insert(ordinal);
  if (it->second.memory) {
    it->second.memory->unseen.erase(ordinal);
  }
}

std::optional<Observed> Reconciler::Observe(const kube::ObjectKey& key) {
  Observed observed{.order = parts_.orders.Get(key), .now = parts_.clock.Now()};
  const MutexLock lock(mu_);
  if (!observed.order) {
    if (const auto it = written_.find(key); it != written_.end()) {
      known_.erase(it->second.uid);
      written_.erase(it);
    }
    return std::nullopt;
  }
  observed.tickets = parts_.tickets.ByIndex(kOwnerIndex, observed.order->metadata.uid);
  if (observed.order->spec.daemon_set) {
    observed.nodes = parts_.nodes.List();
  }
  Known& known = known_[observed.order->metadata.uid];
  known.gone.clear();
  observed.memory = known.memory;
  return observed;
}

absl::Status Reconciler::LookForMissing(Observed& observed, std::stop_token stop) {
  if (!observed.memory || observed.memory->unseen.empty()) {
    return absl::OkStatus();
  }
  const api::Order& order = *observed.order;
  std::map<int64_t, Cell>& unseen = observed.memory->unseen;
  const MonoTime now = parts_.clock.Mono();
  std::vector<int64_t> missing;
  {
    const MutexLock lock(mu_);
    Known& known = known_[order.metadata.uid];
    std::erase_if(known.missing, [&](int64_t ordinal) { return !unseen.contains(ordinal); });
    if (!known.missing.empty() &&
        now < known.missing_since + absl::ToChronoNanoseconds(kMissingLimit)) {
      return absl::OkStatus();
    }
    missing.assign(known.missing.begin(), known.missing.end());
    known.missing_since = now;
    known.missing.clear();
    for (const auto& [ordinal, cell] : unseen) {
      known.missing.insert(ordinal);
    }
  }
  std::vector<absl::Status> found(missing.size());
  ParallelFor(missing.size(), kParallelWrites, [&](size_t i) {
    const kube::ObjectKey key{order.metadata.ns, TicketName(order, missing[i])};
    found[i] = parts_.client.Get<api::Ticket>(key, {.stop = stop}).status();
  });
  for (size_t i = 0; i < missing.size(); ++i) {
    if (absl::IsNotFound(found[i])) {
      unseen.erase(missing[i]);
    } else {
      RETURN_IF_ERROR(found[i]);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<kube::Result> Reconciler::Reconcile(const kube::ObjectKey& key,
                                                   std::stop_token stop) {
  std::optional<Observed> observed = Observe(key);
  if (!observed) {
    return kube::Result::Done();
  }
  RETURN_IF_ERROR(LookForMissing(*observed, stop));
  const api::Order& order = *observed->order;
  const Plan plan = Decide(*observed);
  ASSIGN_OR_RETURN(Outcome outcome, Create(order, plan.create, observed->now, stop));
  absl::Status failure = Renew(plan.renew, outcome, stop);
  failure.Update(Delete(plan.remove, outcome, stop));
  Memory memory = Remember(plan, outcome, observed->now);
  const api::OrderStatus status = Settle(order, plan, outcome, memory, observed->now);
  bool any_unseen = false;
  {
    const MutexLock lock(mu_);
    Known& known = known_[order.metadata.uid];
    for (const int64_t ordinal : known.gone) {
      memory.unseen.erase(ordinal);
    }
    any_unseen = !memory.unseen.empty();
    known.memory = std::move(memory);
  }
  // What is noted in memory is told only once, whatever fails after it.
  Emit(order, plan, outcome);
  RETURN_IF_ERROR(failure);

  std::optional<absl::Duration> again = plan.requeue_after;
  const auto no_later_than = [&again](absl::Duration delay) {
    again = again ? std::min(*again, delay) : delay;
  };
  if (any_unseen) {
    no_later_than(kMissingLimit);
  }
  if (outcome.paced) {
    parts_.pace.Wait(key);
    no_later_than(parts_.pace.patience());
  } else if ((outcome.again || plan.more) && outcome.denied.empty()) {
    no_later_than(absl::ZeroDuration());
  }
  if (!outcome.denied.empty()) {
    const absl::Duration change =
        outcome.denied_until.value_or(absl::InfiniteFuture()) - observed->now;
    no_later_than(
        std::clamp(change, absl::Milliseconds(100), DeniedRetry(plan.memory.denials + 1)));
  }
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
                                           const std::vector<NewTicket>& wanted, absl::Time now,
                                           std::stop_token stop) {
  Outcome outcome;
  if (wanted.empty()) {
    return outcome;
  }
  // Tickets of one occurrence are alike; those of another are for the next turn.
  const auto other = std::find_if(wanted.begin(), wanted.end(), [&](const NewTicket& ticket) {
    return ticket.cell.occurrence != wanted[0].cell.occurrence;
  });
  std::vector<std::string> names;
  std::transform(wanted.begin(), other, std::back_inserter(names),
                 [&](const NewTicket& ticket) { return TicketName(order, ticket.ordinal); });
  const size_t count = parts_.pace.Take(order.metadata.ns, names);
  const bool paced = count < names.size();
  if (count == 0) {
    outcome.paced = true;
    return outcome;
  }
  const auto settle = [&](size_t i) { parts_.pace.Settle({order.metadata.ns, names[i]}); };
  std::vector<std::string> ids(count);
  std::generate(ids.begin(), ids.end(), NewReservationId);
  std::vector<runtime::LedgerReservation> reservations;
  for (size_t i = 0; i < count; ++i) {
    reservations.push_back({.id = ids[i], .ticket = names[i]});
  }
  const auto reserved = parts_.ledger.Reserve(
      order.metadata.ns, SharedClaim(MakeTicket(order, wanted[0].cell, wanted[0].ordinal, now)),
      reservations, stop);
  if (!reserved.ok()) {
    for (size_t i = 0; i < count; ++i) {
      settle(i);
    }
  }
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
    api::Ticket ticket = MakeTicket(order, wanted[i].cell, wanted[i].ordinal, now);
    ticket.metadata.annotations[std::string(api::kAnnotationGrant)] = ids[i];
    made[i] = parts_.client.Create(ticket, {.stop = stop}).status();
  });

  for (size_t i = 0; i < count; ++i) {
    if (!decisions[i].granted() || !made[i].ok()) {
      settle(i);
    }
  }
  ASSIGN_OR_RETURN(outcome, Judge(order, wanted, decisions, ids, made, stop));
  outcome.paced = paced && outcome.denied.empty();
  return outcome;
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
      ASSIGN_OR_RETURN(const bool ours, IsOurs(order, wanted[i].ordinal, stop));
      (ours ? outcome.created : outcome.taken).push_back(wanted[i].ordinal);
      continue;
    }
    outcome.failed.push_back(wanted[i].ordinal);
    failure.Update(made[i]);
  }
  if (!unused.empty()) {
    failure.Update(parts_.ledger.Release(unused, stop));
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

absl::StatusOr<bool> Reconciler::IsOurs(const api::Order& order, int64_t ordinal,
                                        std::stop_token stop) {
  const absl::StatusOr<api::Ticket> there = parts_.client.Get<api::Ticket>(
      {order.metadata.ns, TicketName(order, ordinal)}, {.stop = std::move(stop)});
  if (absl::IsNotFound(there.status())) {
    return false;  // Gone meanwhile; the name is not used again.
  }
  RETURN_IF_ERROR(there.status());
  const api::OwnerReference* owner = api::ControllerOf(there->metadata);
  return owner != nullptr && owner->uid == order.metadata.uid;
}

absl::Status Reconciler::Renew(const std::vector<RenewTicket>& tickets, Outcome& outcome,
                               std::stop_token stop) {
  std::vector<absl::Status> renewed(tickets.size());
  ParallelFor(tickets.size(), kParallelWrites, [&](size_t i) {
    renewed[i] =
        parts_.client
            .Patch<api::Ticket>(tickets[i].key, {}, RenewalPatch(tickets[i]), {.stop = stop})
            .status();
  });
  absl::Status failure;
  for (size_t i = 0; i < tickets.size(); ++i) {
    if (renewed[i].ok()) {
      outcome.renewed.push_back(tickets[i].ordinal);
    } else if (!absl::IsNotFound(renewed[i]) && !absl::IsAborted(renewed[i])) {
      failure.Update(renewed[i]);
    }
  }
  return failure;
}

absl::Status Reconciler::Delete(const std::vector<DeleteTicket>& tickets, Outcome& outcome,
                                std::stop_token stop) {
  std::vector<absl::Status> gone(tickets.size());
  ParallelFor(tickets.size(), kParallelWrites, [&](size_t i) {
    gone[i] = parts_.client.Delete<api::Ticket>(
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
  Written& written = written_[kube::KeyOf(order)];
  if (written.uid != order.metadata.uid) {
    written = {.at = parts_.clock.Mono(), .uid = order.metadata.uid, .base_version = ""};
  }
  const absl::Duration since = absl::FromChrono(parts_.clock.Mono() - written.at);
  if (written.base_version.empty()) {
    const bool is_first = order.status.observed_generation == 0;
    return is_first && OnItsWay(status) ? kStatusInterval - since : absl::ZeroDuration();
  }
  // The store does not show our last write yet: one more would be refused. The watch brings us
  // back; the delay is for a write whose answer was lost before it took effect.
  if (written.base_version == order.metadata.resource_version && since < kStaleLimit) {
    return kStaleLimit - since;
  }
  if (!SameConditions(status.conditions, order.status.conditions) ||
      status.observed_generation != order.status.observed_generation ||
      status.current_window != order.status.current_window ||
      status.occurrences.size() != order.status.occurrences.size()) {
    return absl::ZeroDuration();
  }
  return std::clamp(status.replicas * kStatusIntervalPerTicket, kStatusInterval,
                    kLongestStatusInterval) -
         since;
}

absl::Status Reconciler::WriteStatus(const api::Order& order, const api::OrderStatus& status,
                                     std::stop_token stop) {
  const kube::ObjectKey key = kube::KeyOf(order);
  {
    const MutexLock lock(mu_);
    written_[key] = {parts_.clock.Mono(), order.metadata.uid, order.metadata.resource_version};
  }
  // A whole status by PUT: what is no longer there goes, and a stale base is refused.
  api::Order updated = order;
  updated.status = status;
  const absl::Status result = parts_.client.UpdateStatus(updated, {.stop = stop}).status();
  return absl::IsNotFound(result) ? absl::OkStatus() : result;
}

void Reconciler::Emit(const api::Order& order, const Plan& plan, const Outcome& outcome) {
  const api::ObjectReference about = kube::RefTo(order);
  if (!outcome.created.empty()) {
    parts_.events.Normal(about, api::kEventTicketsCreated,
                         absl::StrCat("created ", outcome.created.size(),
                                      outcome.created.size() == 1 ? " ticket" : " tickets"));
  }
  if (!outcome.denied.empty()) {
    parts_.events.Warning(about, api::kEventQuotaDenied, outcome.denied);
  }
  if (!outcome.renewed.empty()) {
    parts_.events.Normal(about, api::kEventTicketsRenewed,
                         absl::StrCat("renewed ", outcome.renewed.size(),
                                      outcome.renewed.size() == 1 ? " ticket" : " tickets"));
  }
  if (parts_.on_window_start) {
    for (const absl::Duration delay : plan.start_delays) {
      parts_.on_window_start(delay);
    }
  }
  for (const EventNote& note : plan.events) {
    if (note.type == "Warning") {
      parts_.events.Warning(about, note.reason, note.message);
    } else {
      parts_.events.Normal(about, note.reason, note.message);
    }
  }
}

}  // namespace korder::order
