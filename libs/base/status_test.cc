#include "base/status.h"

#include <catch2/catch.hpp>

#include "base/status_macros.h"

namespace korder {
namespace {

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) {
    return InvalidArgumentError("odd");
  }
  return n / 2;
}

absl::StatusOr<int> Quarter(int n) {
  ASSIGN_OR_RETURN(const int half, Half(n));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST_CASE("status: the macros pass values on and stop at the first error", "[status]") {
  CHECK(Quarter(8).value() == 2);
  CHECK(Message(Quarter(6).status()) == "odd");
}

TEST_CASE("status: annotating keeps code and retry hint", "[status]") {
  const absl::Status status =
      Annotate(WithRetryAfter(UnavailableError("too busy"), absl::Milliseconds(1500)), "list pods");
  CHECK(ToString(status) == "UNAVAILABLE: list pods: too busy");
  CHECK(RetryAfter(status) == absl::Milliseconds(1500));
  CHECK(Annotate(absl::OkStatus(), "x").ok());
  CHECK(RetryAfter(absl::OkStatus()) == absl::ZeroDuration());
}

TEST_CASE("status: every code is retried, reported, or neither", "[status]") {
  CHECK(IsRetryable(UnavailableError("")));
  CHECK(IsRetryable(AbortedError("")));
  CHECK_FALSE(IsRetryable(NotFoundError("")));
  CHECK(IsTerminal(InvalidArgumentError("")));
  CHECK_FALSE(IsTerminal(UnavailableError("")));
}

}  // namespace
}  // namespace korder
