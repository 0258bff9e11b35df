#include "quota-svc/leadership.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "base/thread.h"
#include "kube/controller.h"
#include "quota-svc/reconciler.h"
#include "quota-svc/sweeper.h"
#include "quota-svc/watches.h"

namespace korder::quota {
namespace {

// What writes the status of quotas during one term.
struct StatusWriter {
  StatusWriter(const LeadershipParts& parts, const Watches& watches)
      : reconciler(parts.client, watches.quotas(), parts.desk, parts.events, parts.metrics,
                   parts.clock),
        controller("quota", reconciler, parts.clock, {.workers = 2, .backoff = {}},
                   parts.observer) {}

  Reconciler reconciler;
  kube::Controller controller;
};

// Which of several quotas of type Cluster is the first depends on all of them.
void EnqueueQuotas(kube::Controller& controller, const kube::Store<api::Quota>& quotas,
                   const api::Quota& changed) {
  controller.Enqueue(kube::KeyOf(changed));
  if (changed.spec.scope.type != api::ScopeType::kCluster) {
    return;
  }
  for (const auto& other : quotas.List()) {
    if (other->spec.scope.type == api::ScopeType::kCluster) {
      controller.Enqueue(kube::KeyOf(*other));
    }
  }
}

// Threads that are stopped together.
class Crew {
 public:
  ~Crew() { stop_.request_stop(); }  // then the threads are joined

  std::stop_token token() const { return stop_.get_token(); }
  void Add(std::function<void(std::stop_token)> work) {
    threads_.emplace_back([stop = token(), work = std::move(work)] { work(stop); });
  }

 private:
  std::stop_source stop_;
  std::vector<Thread> threads_;
};

}  // namespace

Leadership::Leadership(LeadershipParts parts, LeadershipOptions options)
    : parts_(std::move(parts)), options_(std::move(options)) {}

void Leadership::Run(std::stop_token stop, int64_t epoch) {
  const MonoTime leading_since = parts_.clock.Mono();
  while (!stop.stop_requested()) {
    const absl::Status ended = Term(epoch, stop);
    if (stop.stop_requested()) {
      return;
    }
    log::Error("the ledger is not ours, trying again", {{"error", ToString(ended)}});
    Pause(options_.retry_period, stop);
    epoch = NextEpoch(epoch, leading_since);
  }
}

int64_t Leadership::NextEpoch(int64_t epoch, MonoTime leading_since) const {
  const absl::Duration led = absl::FromChrono(parts_.clock.Mono() - leading_since);
  if (stored_epoch_ <= epoch || led < options_.overrule_after) {
    return epoch;
  }
  log::Warn("the lease lost count, going on from the ledger's epoch", {{"epoch", stored_epoch_}});
  return stored_epoch_ + 1;
}

void Leadership::ReportDamage(const OpenedLedger& opened) {
  if (opened.damage) {
    parts_.metrics.LedgerDamaged();
    log::Error("the ledger object was lost: rebuilding from tickets, nothing new is granted yet",
               {{"damage", *opened.damage},
                {"until", absl::FormatTime(*opened.image.closed_until, absl::UTCTimeZone())}});
  }
}

absl::Status Leadership::Term(int64_t epoch, std::stop_token stop) {
  LedgerObjectOptions log_options = options_.log;
  log_options.may_be_new = log_options.may_be_new && !opened_before_;
  GrantLog grant_log(parts_.client, parts_.clock, log_options);
  absl::StatusOr<OpenedLedger> opened = grant_log.Open(epoch, stop);
  stored_epoch_ = grant_log.stored_epoch();
  RETURN_IF_ERROR(opened.status());
  opened_before_ = true;
  ReportDamage(*opened);

  Watches watches(parts_.client, parts_.desk, parts_.clock);
  Sweeper sweeper(parts_.client, parts_.desk, watches, parts_.clock);
  // Shared, because a caller may still be telling of a change when the term is over already.
  const auto writer = std::make_shared<StatusWriter>(parts_, watches);
  watches.OnQuota([&](const api::Quota* was, const api::Quota* is) {
    EnqueueQuotas(writer->controller, watches.quotas(), is != nullptr ? *is : *was);
  });
  parts_.desk.Begin(opened->image, [writer](const std::set<std::string>& quotas) {
    for (const std::string& quota : quotas) {
      writer->controller.Enqueue({"", quota});
    }
  });

  absl::Status ended = CancelledError("leadership ended");
  {
    Crew crew;
    for (kube::InformerBase* informer : watches.all()) {
      crew.Add([informer](std::stop_token s) { informer->Run(s); });
    }
    if (watches.WaitForSync(stop)) {
      crew.Add([&](std::stop_token s) { writer->controller.Run(s); });
      crew.Add([&](std::stop_token s) { sweeper.Run(s); });
      crew.Add([&](std::stop_token s) { ShowTotals(s); });
      parts_.desk.Open();
      parts_.set_serving(true);
      log::Info("the ledger is open", {{"epoch", epoch},
                                       {"grants", opened->image.grants.size()},
                                       {"tickets", watches.tickets().size()}});
      ended = WriteBatches(grant_log, stop);
    }
    parts_.set_serving(false);
    parts_.desk.Close();
  }
  parts_.metrics.ForgetAll();
  return ended;
}

absl::Status Leadership::WriteBatches(GrantLog& log, std::stop_token stop) {
  while (std::optional<Batch> batch = parts_.desk.NextBatch(stop)) {
    RETURN_IF_ERROR(log.Write(batch->changes, batch->closed_until, stop));
    parts_.desk.MarkDurable(*batch);
  }
  return CancelledError("leadership ended");
}

void Leadership::ShowTotals(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const auto used = parts_.desk.Look(std::map<std::string, Amounts>(), [](const Ledger& ledger) {
      return ledger.book().UsedByNamespace();
    });
    parts_.metrics.SetReserved(used);
    parts_.metrics.SetPendingGrants(
        parts_.desk.Look(size_t{0}, [](const Ledger& ledger) { return ledger.grants().size(); }));
    Pause(absl::Seconds(1), stop);
  }
}

}  // namespace korder::quota
