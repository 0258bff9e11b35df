#include "base/status.h"

#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace korder {
namespace {

constexpr char kRetryAfterUrl[] = "korder.dev/retry-after-ms";

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::Status AbortedError(std::string_view message) { return absl::AbortedError(ToAbsl(message)); }
absl::Status AlreadyExistsError(std::string_view message) {
  return absl::AlreadyExistsError(ToAbsl(message));
}
absl::Status CancelledError(std::string_view message) {
  return absl::CancelledError(ToAbsl(message));
}
absl::Status DeadlineExceededError(std::string_view message) {
  return absl::DeadlineExceededError(ToAbsl(message));
}
absl::Status FailedPreconditionError(std::string_view message) {
  return absl::FailedPreconditionError(ToAbsl(message));
}
absl::Status InternalError(std::string_view message) {
  return absl::InternalError(ToAbsl(message));
}
absl::Status InvalidArgumentError(std::string_view message) {
  return absl::InvalidArgumentError(ToAbsl(message));
}
absl::Status NotFoundError(std::string_view message) {
  return absl::NotFoundError(ToAbsl(message));
}
absl::Status OutOfRangeError(std::string_view message) {
  return absl::OutOfRangeError(ToAbsl(message));
}
absl::Status PermissionDeniedError(std::string_view message) {
  return absl::PermissionDeniedError(ToAbsl(message));
}
absl::Status ResourceExhaustedError(std::string_view message) {
  return absl::ResourceExhaustedError(ToAbsl(message));
}
absl::Status UnauthenticatedError(std::string_view message) {
  return absl::UnauthenticatedError(ToAbsl(message));
}
absl::Status UnavailableError(std::string_view message) {
  return absl::UnavailableError(ToAbsl(message));
}

std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

std::string ToString(const absl::Status& status) {
  return status.ok()
             ? "OK"
             : absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

absl::Status Annotate(const absl::Status& status, std::string_view what) {
  if (status.ok()) {
    return status;
  }
  absl::Status annotated(status.code(), absl::StrCat(ToAbsl(what), ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryAfterUrl, absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(delay))));
  return status;
}

absl::Duration RetryAfter(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryAfterUrl);
  int64_t milliseconds = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) {
    return absl::ZeroDuration();
  }
  return absl::Milliseconds(milliseconds);
}

bool IsRetryable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

bool IsTerminal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace korder
