#include "base/backoff.h"

#include <limits>

#include <catch2/catch.hpp>

namespace korder {
namespace {

TEST_CASE("backoff: the first try does not wait", "[backoff]") {
  CHECK(BackoffDelay({}, 0, 0.5) == absl::ZeroDuration());
}

TEST_CASE("backoff: the delay doubles with every failure", "[backoff]") {
  const BackoffPolicy policy{.initial = absl::Milliseconds(50), .jitter = 0};
  CHECK(BackoffDelay(policy, 1, 0) == absl::Milliseconds(50));
  CHECK(BackoffDelay(policy, 2, 0) == absl::Milliseconds(100));
  CHECK(BackoffDelay(policy, 5, 0) == absl::Milliseconds(800));
}

TEST_CASE("backoff: the delay is capped, also after more failures than a double can square",
          "[backoff]") {
  const BackoffPolicy policy{.max = absl::Seconds(30), .jitter = 0};
  CHECK(BackoffDelay(policy, 100, 0) == absl::Seconds(30));
  CHECK(BackoffDelay(policy, std::numeric_limits<int>::max(), 0) == absl::Seconds(30));
}

TEST_CASE("backoff: jitter only shortens", "[backoff]") {
  const BackoffPolicy policy{.initial = absl::Seconds(1), .jitter = 0.2};
  CHECK(BackoffDelay(policy, 1, 0.0) == absl::Seconds(1));
  CHECK(BackoffDelay(policy, 1, 1.0) == absl::Milliseconds(800));
}

}  // namespace
}  // namespace korder
