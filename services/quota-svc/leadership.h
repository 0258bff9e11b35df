// What quota-svc does while it leads: take the ledger over, then keep it.
//
//   Leadership leadership({client, clock, desk, events, metrics, observer, set_serving}, options);
//   manager.AddWhileLeading("ledger", [&](std::stop_token stop, int64_t epoch) {
//     leadership.Run(stop, epoch);
//   });
//
// A term: fence older leaders by writing our epoch, see everything by consistent lists, load the
// grants, and only then answer. A term ends when leadership does, or when the ledger object was
// written by somebody else; then the next one begins, from what is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "absl/time/time.h"
#include "base/clock.h"
#include "kube/client.h"
#include "kube/event_recorder.h"
#include "kube/observer.h"
#include "quota-svc/grant_log.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/metrics.h"

namespace korder::quota {

struct LeadershipParts {
  kube::Client& client;
  const Clock& clock;
  LedgerDesk& desk;
  kube::EventRecorder& events;
  Metrics& metrics;
  kube::Observer& observer;
  // Told whether there are answers.
  std::function<void(bool serving)> set_serving;
};

struct LeadershipOptions {
  LedgerObjectOptions log;
  // Between a term that failed and the next.
  absl::Duration retry_period = absl::Seconds(1);
  // When the ledger has a higher epoch than ours although we kept leading for this long, the Lease
  // was made anew and lost count: there is no newer leader. Longer than any lease lasts.
  absl::Duration overrule_after = absl::Seconds(15);
};

// Not thread-safe: one Run at a time.
class Leadership {
 public:
  Leadership(LeadershipParts parts, LeadershipOptions options);

  // Until stop.
  void Run(std::stop_token stop, int64_t epoch);

 private:
  // From taking the ledger over until it is lost, or stop.
  absl::Status Term(int64_t epoch, std::stop_token stop);
  void ReportDamage(const OpenedLedger& opened);
  absl::Status WriteBatches(GrantLog& log, std::stop_token stop);
  void ShowTotals(std::stop_token stop);
  // The epoch to try next after the ledger showed a higher one.
  int64_t NextEpoch(int64_t epoch, MonoTime leading_since) const;

  const LeadershipParts parts_;
  const LeadershipOptions options_;
  int64_t stored_epoch_ = 0;    // as last read
  bool opened_before_ = false;  // so there was a ledger
};

}  // namespace korder::quota
