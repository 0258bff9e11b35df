#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace korder {

absl::Duration BackoffDelay(const BackoffPolicy& policy, int failures, double random) {
  if (failures <= 0) {
    return absl::ZeroDuration();
  }
  // Compare as doubles before converting: the power overflows a duration long before an int does.
  const double max = absl::ToDoubleSeconds(policy.max);
  const double raw =
      absl::ToDoubleSeconds(policy.initial) * std::pow(policy.factor, std::min(failures - 1, 1000));
  const double capped = std::isfinite(raw) ? std::min(raw, max) : max;
  return absl::Seconds(capped * (1.0 - policy.jitter * std::clamp(random, 0.0, 1.0)));
}

}  // namespace korder
