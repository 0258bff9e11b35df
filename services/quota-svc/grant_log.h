// The grants on disk: what makes them durable, and what the next leader reads.
//
//   GrantLog log(client, clock, {.writer = identity});
//   ASSIGN_OR_RETURN(OpenedLedger opened, log.Open(epoch, stop));       // fences older leaders
//   RETURN_IF_ERROR(log.Write(changes, closed_until, stop));            // durable when OK
//
// The first object, "korder-quota-ledger", says how many there are; the others are called
// "korder-quota-ledger-1" and so on. Each is fenced by itself: a new leader writes its epoch into
// all of them before it decides anything. An older one may still get a write through to one that is
// not fenced yet; the new leader then reads what it wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/client.h"
#include "quota-svc/grant_segments.h"
#include "quota-svc/ledger_object.h"

namespace korder::quota {

// Not thread-safe: one write at a time is the point.
class GrantLog {
 public:
  GrantLog(kube::Client& client, const Clock& clock, LedgerObjectOptions options,
           SegmentLimits limits = {});

  // Reads everything and makes it ours under `epoch`. FAILED_PRECONDITION when there is a higher
  // epoch: another leader is newer, and stored_epoch() tells which.
  absl::StatusOr<OpenedLedger> Open(int64_t epoch, std::stop_token stop);
  int64_t stored_epoch() const { return stored_epoch_; }

  // OK also says that nobody else led when this was called; when nothing changed, that is found out
  // by reading. FAILED_PRECONDITION: somebody else wrote, or removed an object; this leader must
  // not decide anything more. CANCELLED on stop, with unknown outcome. REQUIRES: Open succeeded and
  // no later Write failed.
  absl::Status Write(const std::vector<GrantChange>& changes,
                     std::optional<absl::Time> closed_until, std::stop_token stop);

 private:
  void AddObject();
  absl::StatusOr<OpenedLedger> OpenObject(size_t segment, bool may_be_missing,
                                          std::stop_token stop);
  absl::Status WriteObject(size_t segment, std::stop_token stop);

  kube::Client& client_;
  const Clock& clock_;
  const LedgerObjectOptions options_;
  int64_t epoch_ = 0;
  int64_t stored_epoch_ = 0;
  std::optional<absl::Time> closed_until_;
  GrantSegments segments_;
  std::vector<LedgerObject> objects_;  // of the segments
};

}  // namespace korder::quota
