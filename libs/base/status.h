// The error vocabulary of korder: absl::Status with constructors that take std::string_view.
//
//   if (order.name.empty()) return InvalidArgumentError("metadata.name: is required");
//   return Annotate(status, "create ticket web-3");   // keeps the code, adds what was attempted
//
// Choose the code by what the caller should do: UNAVAILABLE = retry the call, ABORTED = read again
// and retry, FAILED_PRECONDITION / INVALID_ARGUMENT = somebody must change something first.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace korder {

absl::Status AbortedError(std::string_view message);
absl::Status AlreadyExistsError(std::string_view message);
absl::Status CancelledError(std::string_view message);
absl::Status DeadlineExceededError(std::string_view message);
absl::Status FailedPreconditionError(std::string_view message);
absl::Status InternalError(std::string_view message);
absl::Status InvalidArgumentError(std::string_view message);
absl::Status NotFoundError(std::string_view message);
absl::Status OutOfRangeError(std::string_view message);
absl::Status PermissionDeniedError(std::string_view message);
absl::Status ResourceExhaustedError(std::string_view message);
absl::Status UnauthenticatedError(std::string_view message);
absl::Status UnavailableError(std::string_view message);

// The message as a std::string_view (Debian's absl::string_view does not convert to it).
std::string_view Message(const absl::Status& status);

// "NOT_FOUND: get pods/default/web: ..." for logs and people.
std::string ToString(const absl::Status& status);

// Puts "what: " before the message; code and retry hint stay. An OK status passes through.
absl::Status Annotate(const absl::Status& status, std::string_view what);

// A delay the server asked for (HTTP Retry-After, gRPC RetryInfo) travels with the status.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);
absl::Duration RetryAfter(const absl::Status& status);  // ZeroDuration() when none was asked for.

// True when the same call may succeed later without anybody changing anything.
bool IsRetryable(const absl::Status& status);
// True when only a changed input can make the call succeed: report it, do not retry it.
bool IsTerminal(const absl::Status& status);

}  // namespace korder
