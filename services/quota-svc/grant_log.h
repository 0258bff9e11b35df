// The ledger object: the ConfigMap in which grants become durable, written by compare-and-swap.
//
//   GrantLog log(client, clock, {.ns = "korder-system", .writer = identity});
//   ASSIGN_OR_RETURN(GrantLog::Opened opened, log.Open(epoch, stop));   // fences older leaders
//   RETURN_IF_ERROR(log.Write(grants, closed_until, stop));             // durable when OK
//
// Every write carries the resourceVersion that the last one returned, so a leader that was replaced
// can write nothing any more. A write whose answer was lost is resolved by reading back: the object
// says which attempt of which writer it holds.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/config_map.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/client.h"
#include "quota-svc/ledger_codec.h"

namespace korder::quota {

struct GrantLogOptions {
  std::string ns = "korder-system";
  std::string name = "korder-quota-ledger";
  std::string writer;  // this process; unique
  // Of one request. An answer that takes longer counts as lost.
  absl::Duration timeout = absl::Seconds(3);
  BackoffPolicy backoff{.initial = absl::Milliseconds(20), .max = absl::Seconds(1)};
  // How long nothing new is granted after the object was lost: as long as a grant lives.
  absl::Duration closed_for = absl::Seconds(60);
};

// Not thread-safe: one write at a time is the point.
class GrantLog {
 public:
  struct Opened {
    LedgerImage image;
    // The object could not be read, or is missing although there was a leader before: why.
    std::optional<std::string> damage;
  };

  GrantLog(kube::Client& client, const Clock& clock, GrantLogOptions options);

  // Reads the object and makes it ours under `epoch`. FAILED_PRECONDITION when it has a higher
  // epoch: another leader is newer, and stored_epoch() tells which.
  absl::StatusOr<Opened> Open(int64_t epoch, std::stop_token stop);
  int64_t stored_epoch() const { return stored_epoch_; }

  // Replaces the content. FAILED_PRECONDITION: somebody else wrote, or removed the object; this
  // leader must not decide anything more. CANCELLED on stop, with unknown outcome.
  // REQUIRES: Open succeeded and no later Write failed.
  absl::Status Write(std::vector<Grant> grants, std::optional<absl::Time> closed_until,
                     std::stop_token stop);

 private:
  enum class Found { kOurs, kEarlier, kForeign };

  absl::StatusOr<api::ConfigMap> Read(std::stop_token stop);
  // What the object holds; a missing one is an empty image.
  Opened Interpret(const absl::StatusOr<api::ConfigMap>& object, int64_t epoch) const;
  absl::Status Attempt(std::stop_token stop);
  // After an attempt whose outcome is unknown or which met a conflict.
  absl::StatusOr<Found> ReadBack(std::stop_token stop);
  void Pause(int failures, std::stop_token stop);
  kube::CallOptions Call(std::stop_token stop) const;

  kube::Client& client_;
  const Clock& clock_;
  const GrantLogOptions options_;
  int64_t stored_epoch_ = 0;
  LedgerImage image_;      // what is being written
  api::ConfigMap object_;  // with the resourceVersion to write on; without one it is to be created
};

}  // namespace korder::quota
