// One object of the ledger: a ConfigMap in which grants become durable, written by
// compare-and-swap.
//
//   LedgerObject object(client, clock, {.writer = identity}, "korder-quota-ledger");
//   ASSIGN_OR_RETURN(OpenedLedger opened, object.Open(epoch, may_be_missing, stop));   // fences
//   RETURN_IF_ERROR(object.Write({.grants = grants}, stop));             // durable when OK
//
// Every write carries the resourceVersion that the last one returned, so a leader that was replaced
// can write nothing any more. A write whose answer was lost is resolved by reading back: the object
// says which attempt of which writer it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "api/core/config_map.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/client.h"
#include "quota-svc/ledger_codec.h"

namespace korder::quota {

struct LedgerObjectOptions {
  std::string ns = "korder-system";
  std::string name = "korder-quota-ledger";  // of the first object
  std::string writer;                        // this process; unique
  // Of one request. An answer that takes longer counts as lost.
  absl::Duration timeout = absl::Seconds(3);
  BackoffPolicy backoff{.initial = absl::Milliseconds(20), .max = absl::Seconds(1)};
  // How long nothing new is granted after the object was lost: as long as a grant lives.
  absl::Duration closed_for = absl::Seconds(60);
  // There may never have been a ledger. Otherwise a missing one was lost, also in the first epoch.
  bool may_be_new = true;
};

// What a new leader found.
struct OpenedLedger {
  LedgerImage image;
  // What was found could not be read, or is missing although there was a leader before: why.
  std::optional<std::string> damage;
};

// Not thread-safe: one write at a time is the point.
class LedgerObject {
 public:
  LedgerObject(kube::Client& client, const Clock& clock, const LedgerObjectOptions& options,
               std::string name);

  // Reads the object and makes it ours under `epoch`; what cannot be read is replaced. Missing is
  // as good as empty if it `may_be_missing`. FAILED_PRECONDITION when it has a higher epoch:
  // another leader is newer, and stored_epoch() tells which.
  absl::StatusOr<OpenedLedger> Open(int64_t epoch, bool may_be_missing, std::stop_token stop);
  int64_t stored_epoch() const { return stored_epoch_; }

  // Replaces the content; epoch, writer and seq are ours to fill in. FAILED_PRECONDITION: somebody
  // else wrote, or removed the object; this leader must not decide anything more. CANCELLED on
  // stop, with unknown outcome.
  // REQUIRES: Open succeeded and no later Write failed.
  absl::Status Write(LedgerImage content, std::stop_token stop);
  // OK when the object still is as it was written last, at some moment after the call began: nobody
  // else can have decided anything by then. Errors as of Write. REQUIRES: as Write.
  absl::Status CheckOurs(std::stop_token stop);
  // Of what was written last.
  size_t bytes() const { return bytes_; }

 private:
  enum class Found { kOurs, kEarlier, kForeign };

  absl::StatusOr<api::ConfigMap> Read(std::stop_token stop);
  // What the object holds; a missing one is an empty image.
  static OpenedLedger Interpret(const absl::StatusOr<api::ConfigMap>& object, bool may_be_missing);
  absl::Status Attempt(std::stop_token stop);
  // After an attempt whose outcome is unknown or which met a conflict, or without one.
  absl::StatusOr<Found> ReadBack(std::stop_token stop);
  void BackOff(int failures, std::stop_token stop) const;
  kube::CallOptions Call(std::stop_token stop) const;

  kube::Client& client_;
  const Clock& clock_;
  const LedgerObjectOptions options_;
  const std::string name_;
  int64_t stored_epoch_ = 0;
  size_t bytes_ = 0;
  LedgerImage image_;      // what is being written
  api::ConfigMap object_;  // with the resourceVersion to write on; without one it is to be created
};

}  // namespace korder::quota
