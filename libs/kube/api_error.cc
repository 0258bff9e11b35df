#include "kube/api_error.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "json/fields.h"

namespace korder::kube {
namespace {

// As much of a body that is no Status as belongs into a message.
constexpr size_t kMaxQuote = 200;

using Code = absl::StatusCode;

struct ReasonRow {
  std::string_view reason;
  Code code;
};
constexpr auto kReasons = std::to_array<ReasonRow>({
    {"AlreadyExists", Code::kAlreadyExists},
    {"BadRequest", Code::kInvalidArgument},
    {"Conflict", Code::kAborted},
    {"Expired", Code::kOutOfRange},
    {"Forbidden", Code::kPermissionDenied},
    {"Gone", Code::kOutOfRange},
    {"InternalError", Code::kUnavailable},
    {"Invalid", Code::kInvalidArgument},
    {"MethodNotAllowed", Code::kInvalidArgument},
    {"NotAcceptable", Code::kInvalidArgument},
    {"NotFound", Code::kNotFound},
    {"RequestEntityTooLarge", Code::kInvalidArgument},
    {"ServerTimeout", Code::kUnavailable},
    {"ServiceUnavailable", Code::kUnavailable},
    {"StorageReadError", Code::kUnavailable},
    {"Timeout", Code::kUnavailable},
    {"TooManyRequests", Code::kResourceExhausted},
    {"Unauthorized", Code::kUnauthenticated},
    {"UnsupportedMediaType", Code::kInvalidArgument},
});

std::optional<Code> CodeOfReason(std::string_view reason) {
  for (const ReasonRow& row : kReasons) {
    if (row.reason == reason) {
      return row.code;
    }
  }
  return std::nullopt;
}

Code CodeOfHttp(int http_code) {
  switch (http_code) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 408:  // a proxy's request timeout
    case 425:  // too early
      return Code::kUnavailable;
    case 409:
      return Code::kAborted;
    case 410:
      return Code::kOutOfRange;
    case 429:
      return Code::kResourceExhausted;
    default:
      break;
  }
  if (http_code >= 400 && http_code < 500) {
    return Code::kInvalidArgument;
  }
  // 5xx, and answers an API server does not give (a redirect by something in between).
  return Code::kUnavailable;
}

absl::Status Make(int http_code, const api::Status& refusal, std::string_view message,
                  absl::Duration retry_after) {
  const Code code = CodeOfReason(refusal.reason).value_or(CodeOfHttp(http_code));
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  const absl::Duration delay =
      std::max(retry_after, absl::Seconds(refusal.details.retry_after_seconds.value_or(0)));
  return delay > absl::ZeroDuration() ? WithRetryAfter(std::move(status), delay) : status;
}

// "HTTP 502: <html>bad gateway..." for a body that is no Status object.
std::string Quote(int http_code, std::string_view body) {
  const std::string_view start = body.substr(0, kMaxQuote);
  std::string text = absl::StrCat("HTTP ", http_code);
  if (!start.empty()) {
    absl::StrAppend(&text, ": ", std::string(start), start.size() < body.size() ? "..." : "");
  }
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

}  // namespace

absl::Status StatusFromHttp(int http_code, std::string_view body, absl::Duration retry_after) {
  api::Status refusal;
  const bool parsed = json::Parse(std::string(body), refusal).ok();
  if (!parsed || refusal.message.empty()) {
    const std::string quote = Quote(http_code, body);
    return Make(http_code, parsed ? refusal : api::Status{}, quote, retry_after);
  }
  return Make(http_code, refusal, refusal.message, retry_after);
}

absl::Status StatusFromObject(const api::Status& refusal) {
  if (refusal.message.empty()) {
    return Make(refusal.code, refusal, absl::StrCat("HTTP ", refusal.code, " ", refusal.reason),
                absl::ZeroDuration());
  }
  return Make(refusal.code, refusal, refusal.message, absl::ZeroDuration());
}

}  // namespace korder::kube
