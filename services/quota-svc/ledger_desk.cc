#include "quota-svc/ledger_desk.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

absl::Status NotLeading() { return UnavailableError("this replica does not lead quota-svc"); }

// --- what an answer promises: a promise has to be durable before it is given, a refusal not ---

bool Promises(const Verdict& verdict) { return std::holds_alternative<Granted>(verdict); }
bool Promises(const OrderVerdict& answer) { return Promises(answer.verdict); }
bool Promises(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    if (Promises(outcome.verdict)) {
      return true;
    }
  }
  return false;
}

// --- counting ---

void Count(Metrics& metrics, const Verdict& verdict) {
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    metrics.Decision("denied", KindOfLimit(denial->resource));
  } else {
    metrics.Decision("granted", "");
  }
}
void Count(Metrics& metrics, const OrderVerdict& answer) { Count(metrics, answer.verdict); }
void Count(Metrics& metrics, const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    Count(metrics, outcome.verdict);
  }
}
void Count(Metrics& metrics, const absl::Status& error) {
  const bool known = absl::IsUnavailable(error) || absl::IsInvalidArgument(error) ||
                     absl::IsDeadlineExceeded(error);
  metrics.Decision("error", known ? absl::StatusCodeToString(error.code()) : "OTHER");
}

}  // namespace

LedgerDesk::LedgerDesk(const Clock& clock, Metrics& metrics, FindNamespace find,
                       LedgerOptions options)
    : clock_(clock), metrics_(metrics), find_namespace_(std::move(find)), options_(options) {}

// --- for callers ---

absl::StatusOr<Answer<std::vector<Outcome>>> LedgerDesk::Reserve(const Reservation& asked,
                                                                 MonoTime deadline) {
  return Decided<std::vector<Outcome>>(
      {asked.claim.ns}, deadline,
      [&](Ledger& ledger, absl::Time now) { return ledger.Reserve(asked, now); });
}

absl::StatusOr<Answer<std::vector<Outcome>>> LedgerDesk::Confirm(
    const std::vector<TicketRequest>& asked, MonoTime deadline) {
  std::vector<std::string> namespaces;
  namespaces.reserve(asked.size());
  for (const TicketRequest& ticket : asked) {
    namespaces.push_back(ticket.claim.ns);
  }
  return Decided<std::vector<Outcome>>(
      namespaces, deadline,
      [&](Ledger& ledger, absl::Time now) -> absl::StatusOr<std::vector<Outcome>> {
        std::vector<Outcome> outcomes;
        for (const TicketRequest& ticket : asked) {
          ASSIGN_OR_RETURN(Verdict verdict, ledger.Confirm(ticket, now));
          outcomes.push_back({ticket.uid, std::move(verdict)});
        }
        return outcomes;
      });
}

absl::StatusOr<Answer<Verdict>> LedgerDesk::AdmitTicket(const TicketRequest& asked, bool dry_run,
                                                        MonoTime deadline) {
  return Decided<Verdict>({asked.claim.ns}, deadline, [&](Ledger& ledger, absl::Time now) {
    return ledger.AdmitTicket(asked, dry_run, now);
  });
}

absl::StatusOr<Answer<OrderVerdict>> LedgerDesk::AdmitOrder(const OrderRequest& asked,
                                                            MonoTime deadline) {
  return Decided<OrderVerdict>({asked.ns}, deadline, [&](Ledger& ledger, absl::Time now) {
    return ledger.AdmitOrder(asked, now);
  });
}

absl::StatusOr<int64_t> LedgerDesk::Release(const std::vector<std::string>& ids) {
  int64_t epoch = 0;
  {
    const MutexLock lock(mu_);
    if (!open_) {
      return NotLeading();
    }
    epoch = epoch_;
  }
  Observe([&](Ledger& ledger) { ledger.Release(ids); });
  return epoch;
}

absl::StatusOr<Answer<std::vector<QuotaUsage>>> LedgerDesk::Query(const std::string& ns) {
  if (!ns.empty()) {
    RETURN_IF_ERROR(Learn(ns));
  }
  const MutexLock lock(mu_);
  if (!open_) {
    return NotLeading();
  }
  Answer<std::vector<QuotaUsage>> answer{epoch_, ledger_->book().Usage()};
  if (!ns.empty()) {
    const std::vector<std::string> covering =
        ledger_->book().Covering({.ns = ns, .labels = {}, .amounts = {}, .duration = {}});
    std::erase_if(answer.value, [&](const QuotaUsage& usage) {
      return std::find(covering.begin(), covering.end(), usage.quota) == covering.end() &&
             !usage.used_in.contains(ns);
    });
  }
  return answer;
}

absl::StatusOr<Answer<Forecast>> LedgerDesk::Check(const ForecastRequest& asked) {
  RETURN_IF_ERROR(Learn(asked.ticket.ns));
  const MutexLock lock(mu_);
  if (!open_) {
    return NotLeading();
  }
  return Answer<Forecast>{epoch_, MakeForecast(ledger_->book(), asked, clock_.Now())};
}

absl::Status LedgerDesk::Learn(const std::string& ns) {
  {
    const MutexLock lock(mu_);
    if (!open_) {
      return NotLeading();
    }
    if (ledger_->book().KnowsNamespace(ns)) {
      return absl::OkStatus();
    }
  }
  ASSIGN_OR_RETURN(const std::optional<api::Labels> labels, find_namespace_(ns));
  if (!labels) {
    return InvalidArgumentError(absl::StrCat("namespace: \"", ns, "\": does not exist"));
  }
  // The watch may have shown it in the meantime; what it shows is at least as new.
  Observe([&](Ledger& ledger) {
    if (!ledger.book().KnowsNamespace(ns)) {
      ledger.PutNamespace(ns, *labels);
    }
  });
  return absl::OkStatus();
}

template <class T>
absl::StatusOr<Answer<T>> LedgerDesk::Decided(const std::vector<std::string>& namespaces,
                                              MonoTime deadline, const Decide<T>& decide) {
  const MonoTime begin = clock_.Mono();
  absl::Status known;
  for (const std::string& ns : namespaces) {
    known.Update(Learn(ns));
  }
  const absl::StatusOr<Answer<T>> answer =
      known.ok() ? DecideAndAwait<T>(deadline, decide) : absl::StatusOr<Answer<T>>(known);
  metrics_.DecisionTook(absl::FromChrono(clock_.Mono() - begin));
  if (answer.ok()) {
    Count(metrics_, answer->value);
  } else {
    Count(metrics_, answer.status());
  }
  return answer;
}

template <class T>
absl::StatusOr<Answer<T>> LedgerDesk::DecideAndAwait(MonoTime deadline, const Decide<T>& decide) {
  absl::StatusOr<T> value = NotLeading();
  Aftermath after;
  int64_t epoch = 0;
  uint64_t term = 0;
  uint64_t revision = 0;
  bool promises = false;
  {
    const MutexLock lock(mu_);
    if (!open_) {
      return NotLeading();
    }
    value = decide(*ledger_, clock_.Now());
    promises = value.ok() && Promises(*value);
    revision = ledger_->revision();
    epoch = epoch_;
    term = term_;
    if (promises) {
      wanted_ = std::max(wanted_, revision);
    }
    after = TakeAftermath();
  }
  Tell(after);
  RETURN_IF_ERROR(value.status());
  if (promises) {
    RETURN_IF_ERROR(AwaitDurable(revision, term, deadline));
  }
  return Answer<T>{epoch, *std::move(value)};
}

absl::Status LedgerDesk::AwaitDurable(uint64_t revision, uint64_t term, MonoTime deadline) {
  const MutexLock lock(mu_);
  answered_.WaitUntil(mu_, std::stop_token(), deadline, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return term_ != term || durable_ >= revision;
  });
  if (term_ != term) {
    return UnavailableError("the leadership ended before the answer was durable");
  }
  return durable_ >= revision ? absl::OkStatus()
                              : DeadlineExceededError("the answer did not become durable in time");
}

// --- for the leader ---

void LedgerDesk::Begin(const LedgerImage& image, OnQuotasChanged on_change) {
  const MutexLock lock(mu_);
  ledger_ = std::make_unique<Ledger>(options_);
  ledger_->Load(image.grants, image.closed_until);
  durable_ = ledger_->revision();
  wanted_ = durable_;
  on_change_ = std::move(on_change);
  epoch_ = image.epoch;
  ++term_;
}

void LedgerDesk::Open() {
  const MutexLock lock(mu_);
  open_ = ledger_ != nullptr;
}

bool LedgerDesk::open() const {
  const MutexLock lock(mu_);
  return open_;
}

void LedgerDesk::Close() {
  {
    const MutexLock lock(mu_);
    open_ = false;
    ledger_.reset();
    on_change_ = nullptr;
    ++term_;
  }
  answered_.NotifyAll();
}

void LedgerDesk::Observe(const std::function<void(Ledger& ledger)>& change) {
  Aftermath after;
  {
    const MutexLock lock(mu_);
    if (ledger_ == nullptr) {
      return;
    }
    change(*ledger_);
    after = TakeAftermath();
  }
  Tell(after);
}

bool LedgerDesk::Dirty() const {
  return ledger_ != nullptr && (ledger_->revision() > durable_ || ledger_->HasGrantChanges());
}

bool LedgerDesk::SomebodyWaits() const { return wanted_ > durable_; }

bool LedgerDesk::WriterHasToKnow() {
  const bool there = (writer_rests_ == Rest::kUntilDirty && Dirty()) ||
                     (writer_rests_ == Rest::kUntilSomebodyWaits && SomebodyWaits());
  if (there) {
    writer_rests_ = Rest::kNone;
  }
  return there;
}

LedgerDesk::Aftermath LedgerDesk::TakeAftermath() {
  return {ledger_->TakeChangedQuotas(), on_change_, WriterHasToKnow()};
}

void LedgerDesk::Tell(const Aftermath& after) {
  if (after.tell_writer) {
    work_.NotifyOne();
  }
  if (!after.quotas.empty()) {
    after.on_change(after.quotas);
  }
}

std::optional<Batch> LedgerDesk::NextBatch(std::stop_token stop, absl::Duration laziness) {
  const MutexLock lock(mu_);
  // Each predicate is asked right before the writer sleeps, and whenever it was woken.
  const bool dirty = work_.Wait(mu_, stop, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    writer_rests_ = Dirty() ? Rest::kNone : Rest::kUntilDirty;
    return Dirty();
  });
  if (!dirty) {
    return std::nullopt;
  }
  const MonoTime latest = SteadyNow() + absl::ToChronoNanoseconds(laziness);
  work_.WaitUntil(mu_, stop, latest, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    writer_rests_ = SomebodyWaits() ? Rest::kNone : Rest::kUntilSomebodyWaits;
    return SomebodyWaits();
  });
  writer_rests_ = Rest::kNone;
  if (stop.stop_requested() || !Dirty()) {
    return std::nullopt;
  }
  Batch batch{ledger_->revision(), {}, ledger_->closed_until()};
  // Every ticket that proves its charge gives its grant back. Were each written down with the next
  // confirmation, that would need a write after all.
  const MonoTime now = SteadyNow();
  if (ledger_->HasNewGrants() || now >= give_back_at_) {
    batch.changes = ledger_->TakeGrantChanges();
    give_back_at_ = now + absl::ToChronoNanoseconds(laziness);
  }
  return batch;
}

void LedgerDesk::MarkDurable(const Batch& batch) {
  {
    const MutexLock lock(mu_);
    durable_ = std::max(durable_, batch.revision);
  }
  answered_.NotifyAll();
}

}  // namespace korder::quota
