// Changes of an order's spec.strategy.skip: the next window out, or in again. Pure.
//
//   ASSIGN_OR_RETURN(const SkipChange change, SkipNext(order.spec, now));
//   ... patch spec.strategy.skip to change.skip ...
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "base/status.h"

namespace korder::cli {

struct SkipChange {
  std::vector<std::string> skip;     // what the order should say
  absl::Time window;                 // the start of the window that is skipped, or not any more
  std::optional<absl::Time> next;    // the start of the first window after now, then
  std::vector<std::string> dropped;  // entries that were past
  std::string day;                   // undo: the entry was this whole day
  absl::TimeZone zone;
};

// Leaves out the next window that is not left out yet. FAILED_PRECONDITION for an order without a
// schedule or without a window to come; INVALID_ARGUMENT for one that cannot be read.
absl::StatusOr<SkipChange> SkipNext(const api::OrderSpec& spec, absl::Time now);
// Takes back the next window that is left out.
absl::StatusOr<SkipChange> UnskipNext(const api::OrderSpec& spec, absl::Time now);

}  // namespace korder::cli
