#include "kube/api_error.h"

#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace korder::kube {
namespace {

using Code = absl::StatusCode;

std::string Body(int code, const std::string& reason, const std::string& message = "no") {
  return absl::StrCat(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)",
                      R"("message":")", message, R"(","reason":")", reason, R"(","code":)", code,
                      "}");
}

TEST_CASE("api error: the reason decides, and the code when there is none", "[api_error]") {
  struct Case {
    int http_code;
    const char* reason;
    Code want;
  };
  const Case cases[] = {
      // Every reason of apimachinery.
      {401, "Unauthorized", Code::kUnauthenticated},
      {403, "Forbidden", Code::kPermissionDenied},
      {404, "NotFound", Code::kNotFound},
      {409, "AlreadyExists", Code::kAlreadyExists},
      {409, "Conflict", Code::kAborted},
      {410, "Gone", Code::kOutOfRange},
      {410, "Expired", Code::kOutOfRange},
      {422, "Invalid", Code::kInvalidArgument},
      {500, "ServerTimeout", Code::kUnavailable},
      {500, "StorageReadError", Code::kUnavailable},
      {504, "Timeout", Code::kUnavailable},
      {429, "TooManyRequests", Code::kResourceExhausted},
      {400, "BadRequest", Code::kInvalidArgument},
      {405, "MethodNotAllowed", Code::kInvalidArgument},
      {406, "NotAcceptable", Code::kInvalidArgument},
      {413, "RequestEntityTooLarge", Code::kInvalidArgument},
      {415, "UnsupportedMediaType", Code::kInvalidArgument},
      {500, "InternalError", Code::kUnavailable},
      {503, "ServiceUnavailable", Code::kUnavailable},
      // The reason wins over the code.
      {500, "NotFound", Code::kNotFound},
      {504, "Expired", Code::kOutOfRange},
      {409, "TooManyRequests", Code::kResourceExhausted},
      // No reason, or one we do not know: the code.
      {400, "", Code::kInvalidArgument},
      {401, "", Code::kUnauthenticated},
      {403, "", Code::kPermissionDenied},
      {404, "", Code::kNotFound},
      {408, "", Code::kUnavailable},
      {409, "", Code::kAborted},
      {410, "", Code::kOutOfRange},
      {418, "", Code::kInvalidArgument},
      {422, "SomethingNew", Code::kInvalidArgument},
      {425, "", Code::kUnavailable},
      {429, "", Code::kResourceExhausted},
      {500, "", Code::kUnavailable},
      {502, "SomethingNew", Code::kUnavailable},
      {599, "", Code::kUnavailable},
      {301, "", Code::kUnavailable},
      {0, "", Code::kUnavailable},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.http_code << " " << c.reason) {
      const absl::Status status =
          StatusFromHttp(c.http_code, Body(c.http_code, c.reason), absl::ZeroDuration());
      CHECK(status.code() == c.want);
      CHECK(Message(status) == "no");
      CHECK(RetryAfter(status) == absl::ZeroDuration());
    }
  }
}

TEST_CASE("api error: a body that is no Status is quoted, and the code decides", "[api_error]") {
  struct Case {
    const char* name;
    std::string body;
    std::string want;
  };
  const Case cases[] = {
      {"empty", "", "UNAVAILABLE: HTTP 502"},
      {"text", "bad gateway\n", "UNAVAILABLE: HTTP 502: bad gateway "},
      {"cut JSON", R"({"reason":"NotFound")", R"(UNAVAILABLE: HTTP 502: {"reason":"NotFound")"},
      {"another type", R"({"reason":7,"message":"x"})",
       R"(UNAVAILABLE: HTTP 502: {"reason":7,"message":"x"})"},
      {"no object", "[]", "UNAVAILABLE: HTTP 502: []"},
      {"no message", R"({"reason":"NotFound"})", R"(NOT_FOUND: HTTP 502: {"reason":"NotFound"})"},
      {"long", std::string(201, 'x'), "UNAVAILABLE: HTTP 502: " + std::string(200, 'x') + "..."},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(ToString(StatusFromHttp(502, c.body, absl::ZeroDuration())) == c.want);
    }
  }
}

TEST_CASE("api error: the longer of the two delays that a server can ask for counts",
          "[api_error]") {
  const std::string body =
      R"({"message":"slow down","reason":"TooManyRequests","details":{"retryAfterSeconds":3}})";
  CHECK(RetryAfter(StatusFromHttp(429, body, absl::ZeroDuration())) == absl::Seconds(3));
  CHECK(RetryAfter(StatusFromHttp(429, body, absl::Seconds(5))) == absl::Seconds(5));
  CHECK(RetryAfter(StatusFromHttp(429, body, absl::Seconds(1))) == absl::Seconds(3));
  CHECK(RetryAfter(StatusFromHttp(429, "Too many requests", absl::Seconds(1))) == absl::Seconds(1));
}

TEST_CASE("api error: an ERROR event of a watch is read the same way", "[api_error]") {
  const absl::Status gone = StatusFromObject(
      {.message = "too old resource version: 1 (2)", .reason = "Expired", .code = 410});
  CHECK(ToString(gone) == "OUT_OF_RANGE: too old resource version: 1 (2)");
  CHECK(ToString(StatusFromObject({.code = 410})) == "OUT_OF_RANGE: HTTP 410 ");
  // Whatever it holds, it is an error.
  CHECK_FALSE(StatusFromObject({}).ok());
  CHECK_FALSE(StatusFromObject({.message = "x", .code = 200}).ok());
}

TEST_CASE("api error: success is 2xx", "[api_error]") {
  CHECK(IsSuccess(200));
  CHECK(IsSuccess(201));
  CHECK(IsSuccess(299));
  CHECK_FALSE(IsSuccess(199));
  CHECK_FALSE(IsSuccess(300));
  CHECK_FALSE(IsSuccess(0));
}

}  // namespace
}  // namespace korder::kube
