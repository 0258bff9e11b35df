// The ledger as its callers see it: asked from many threads, answered when the answer is durable.
//
//   desk.Begin(epoch, image, on_change);  desk.Observe(...);  desk.Open();   // the leader
//   desk.Reserve(reservation, deadline);                                     // any thread
//   while (auto batch = desk.NextBatch(stop)) { ...; desk.MarkDurable(*batch); }   // one thread
//   desk.Close();                                                    // answers everybody who waits
//
// Group commit: decisions are made in memory under one mutex and join the batch that is written
// next; whoever decided waits for that write. A failed write ends the term: nothing that was not
// durable was ever told to anybody, so the ledger in memory is simply dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "quota-svc/forecast.h"
#include "quota-svc/ledger.h"
#include "quota-svc/ledger_codec.h"
#include "quota-svc/metrics.h"

namespace korder::quota {

// An answer and the epoch of the leader that gave it.
template <class T>
struct Answer {
  int64_t epoch = 0;
  T value;
};

// What has to become durable, from the batch before to one revision of the ledger.
struct Batch {
  uint64_t revision = 0;
  std::vector<GrantChange> changes;
  std::optional<absl::Time> closed_until;
};

// Thread-safe.
class LedgerDesk {
 public:
  // The labels of a namespace, by a consistent read; nullopt when there is no such namespace.
  using FindNamespace =
      std::function<absl::StatusOr<std::optional<api::Labels>>(const std::string& ns)>;
  using OnQuotasChanged = std::function<void(const std::set<std::string>& quotas)>;

  // Borrows clock and metrics. `find` is asked for namespaces that no watch has shown yet.
  LedgerDesk(const Clock& clock, Metrics& metrics, FindNamespace find, LedgerOptions options = {});

  // --- for callers. UNAVAILABLE: this process does not lead, or not yet, or not any more. When the
  // --- outcome is unknown (deadline, lost leadership), asking again is always right.

  absl::StatusOr<Answer<std::vector<Outcome>>> Reserve(const Reservation& asked, MonoTime deadline);
  // Outcomes carry the tickets' uids.
  absl::StatusOr<Answer<std::vector<Outcome>>> Confirm(const std::vector<TicketRequest>& asked,
                                                       MonoTime deadline);
  absl::StatusOr<Answer<Verdict>> AdmitTicket(const TicketRequest& asked, bool dry_run,
                                              MonoTime deadline);
  absl::StatusOr<Answer<OrderVerdict>> AdmitOrder(const OrderRequest& asked, MonoTime deadline);
  // Room is free again at once; that it is durable is nobody's concern.
  absl::StatusOr<int64_t> Release(const std::vector<std::string>& ids);
  // Those that count something in the namespace; all when it is empty.
  absl::StatusOr<Answer<std::vector<QuotaUsage>>> Query(const std::string& ns = "");
  absl::StatusOr<Answer<Forecast>> Check(const ForecastRequest& asked);

  // --- for the leader, in this order ---

  // `on_change` is called, without a lock held, after limits or use of quotas changed.
  void Begin(const LedgerImage& image, OnQuotasChanged on_change);
  // From now on there are answers. REQUIRES: everything there is was observed.
  void Open();
  bool open() const;
  // Forgets everything; whoever waits gets UNAVAILABLE.
  void Close();

  // Changes the ledger by something that was seen. Nothing happens while there is no term.
  void Observe(const std::function<void(Ledger& ledger)>& change);
  // Asks the ledger something; `otherwise` is the answer while there is no term.
  template <class T, class Question>
  T Look(T otherwise, Question question) const {
    const MutexLock lock(mu_);
    return ledger_ == nullptr ? std::move(otherwise) : question(std::as_const(*ledger_));
  }

  // What to write next: at once when somebody waits for it, otherwise when `laziness` has passed
  // since it changed. What was given back goes along with new grants, or after `laziness`. nullopt
  // on stop.
  std::optional<Batch> NextBatch(std::stop_token stop, absl::Duration laziness = absl::Seconds(3));
  void MarkDurable(const Batch& batch);

 private:
  // What the writer sleeps for, if it does.
  enum class Rest { kNone, kUntilDirty, kUntilSomebodyWaits };

  // What a change of the ledger is followed by, once the lock is released.
  struct Aftermath {
    std::set<std::string> quotas;  // whose limits or use changed
    OnQuotasChanged on_change;
    bool tell_writer = false;
  };

  template <class T>
  using Decide = std::function<absl::StatusOr<T>(Ledger& ledger, absl::Time now)>;
  // A decision, counted and timed.
  template <class T>
  absl::StatusOr<Answer<T>> Decided(const std::vector<std::string>& namespaces, MonoTime deadline,
                                    const Decide<T>& decide);
  // Decides under the mutex, then waits until the answer is durable.
  template <class T>
  absl::StatusOr<Answer<T>> DecideAndAwait(MonoTime deadline, const Decide<T>& decide);
  absl::Status Learn(const std::string& ns);
  bool Dirty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool SomebodyWaits() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Asked after each change: what the writer rests for is there. True once; it is awake then.
  bool WriterHasToKnow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // REQUIRES: there is a term.
  Aftermath TakeAftermath() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(const Aftermath& after);
  absl::Status AwaitDurable(uint64_t revision, uint64_t term, MonoTime deadline);

  const Clock& clock_;
  Metrics& metrics_;
  const FindNamespace find_namespace_;
  const LedgerOptions options_;

  mutable Mutex mu_;
  CondVar work_;      // what the writer rests for is there
  CondVar answered_;  // something became durable, or the term is over
  std::unique_ptr<Ledger> ledger_ ABSL_GUARDED_BY(mu_);  // null while there is no term
  OnQuotasChanged on_change_ ABSL_GUARDED_BY(mu_);
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  int64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t term_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t durable_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t wanted_ ABSL_GUARDED_BY(mu_) = 0;  // the newest revision that somebody waits for
  Rest writer_rests_ ABSL_GUARDED_BY(mu_) = Rest::kNone;
  // From when on what was given back is written down even without new grants.
  MonoTime give_back_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::quota
