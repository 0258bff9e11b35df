// How long to wait before the next try. Pure: the caller brings the number of failures and a
// random number in [0, 1).
//
//   const absl::Duration delay = BackoffDelay({}, failures, rng());
#pragma once

#include "absl/time/time.h"

namespace korder {

struct BackoffPolicy {
  absl::Duration initial = absl::Milliseconds(50);
  absl::Duration max = absl::Seconds(30);
  double factor = 2.0;
  // The share of the delay that is random: 0.2 means 80 % to 100 % of it.
  double jitter = 0.2;
};

// The delay before try number `failures` + 1; zero when nothing failed yet. Never above policy.max,
// however large `failures` is.
absl::Duration BackoffDelay(const BackoffPolicy& policy, int failures, double random);

}  // namespace korder
