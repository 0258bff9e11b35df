#include <string>

#include <catch2/catch.hpp>

#include "runtime/grpc_client.h"

namespace korder::runtime {

TEST_CASE("grpc status: every code crosses in both directions", "[grpc][status]") {
  struct Case {
    absl::StatusCode ours;
    grpc::StatusCode theirs;
  };
  const Case cases[] = {
      {absl::StatusCode::kCancelled, grpc::StatusCode::CANCELLED},
      {absl::StatusCode::kUnknown, grpc::StatusCode::UNKNOWN},
      {absl::StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
      {absl::StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
      {absl::StatusCode::kNotFound, grpc::StatusCode::NOT_FOUND},
      {absl::StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS},
      {absl::StatusCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
      {absl::StatusCode::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {absl::StatusCode::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION},
      {absl::StatusCode::kAborted, grpc::StatusCode::ABORTED},
      {absl::StatusCode::kOutOfRange, grpc::StatusCode::OUT_OF_RANGE},
      {absl::StatusCode::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED},
      {absl::StatusCode::kInternal, grpc::StatusCode::INTERNAL},
      {absl::StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
      {absl::StatusCode::kDataLoss, grpc::StatusCode::DATA_LOSS},
      {absl::StatusCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(absl::StatusCodeToString(c.ours)) {
      const grpc::Status out = ToGrpcStatus(absl::Status(c.ours, "why"));
      CHECK(out.error_code() == c.theirs);
      CHECK(out.error_message() == "why");
      CHECK(out.error_details().empty());
      const absl::Status back = FromGrpcStatus(grpc::Status(c.theirs, "why"), "reserve");
      CHECK(back.code() == c.ours);
      CHECK(std::string(Message(back)) == "reserve: why");
    }
  }
}

TEST_CASE("grpc status: OK stays OK", "[grpc][status]") {
  CHECK(ToGrpcStatus(absl::OkStatus()).ok());
  CHECK(FromGrpcStatus(grpc::Status::OK, "reserve").ok());
}

TEST_CASE("grpc status: a message that repeats a huge request still fits into a trailer",
          "[grpc][status]") {
  const std::string path = "claim.requests[" + std::string(100'000, 'x') + "]: ";
  const grpc::Status plain = ToGrpcStatus(InvalidArgumentError(path));
  CHECK(plain.error_message().size() < 2100);
  CHECK(plain.error_message().starts_with("claim.requests[xxx"));
  CHECK(plain.error_message().ends_with("xxx..."));
  // What is not ASCII takes three times the room; no character is cut in two.
  std::string euros = "a";
  for (int i = 0; i < 1000; ++i) {
    euros += "\xe2\x82\xac";
  }
  const std::string cut = ToGrpcStatus(InvalidArgumentError(euros)).error_message();
  CHECK(cut.size() < 700);
  CHECK(cut.substr(cut.size() - 6) == "\xe2\x82\xac...");
  const grpc::Status hinted =
      ToGrpcStatus(WithRetryAfter(UnavailableError(path), absl::Seconds(1)));
  CHECK(hinted.error_message().size() + hinted.error_details().size() * 4 / 3 < 6000);
  CHECK(RetryAfter(FromGrpcStatus(hinted, "reserve")) == absl::Seconds(1));
}

TEST_CASE("grpc status: a code nobody knows is UNKNOWN", "[grpc][status]") {
  const grpc::Status strange(static_cast<grpc::StatusCode>(20), "?");
  CHECK(FromGrpcStatus(strange, "reserve").code() == absl::StatusCode::kUnknown);
}

TEST_CASE("grpc status: the retry hint goes along", "[grpc][status]") {
  for (const absl::Duration delay :
       {absl::Milliseconds(1), absl::Milliseconds(1500), absl::Seconds(60)}) {
    const grpc::Status out = ToGrpcStatus(WithRetryAfter(UnavailableError("busy"), delay));
    CHECK(RetryAfter(FromGrpcStatus(out, "reserve")) == delay);
  }
}

TEST_CASE("grpc status: the retry hint is encoded as google.rpc.RetryInfo", "[grpc][status]") {
  const grpc::Status out = ToGrpcStatus(WithRetryAfter(UnavailableError("no"), absl::Seconds(3)));
  const std::string type = "type.googleapis.com/google.rpc.RetryInfo";
  // Status{code: 14, message: "no", details: [Any{type_url, value: RetryInfo{Duration{3 s}}}]}
  const std::string value = std::string("\x0a\x02\x08\x03", 4);
  std::string any = "\x0a";
  any += static_cast<char>(type.size());
  any += type + "\x12\x04" + value;
  std::string want = std::string("\x08\x0e\x12\x02no\x1a", 7);
  want += static_cast<char>(any.size());
  want += any;
  CHECK(out.error_details() == want);
}

TEST_CASE("grpc status: details that are something else are ignored", "[grpc][status]") {
  for (const std::string details : {"not a message", "\x1a\x02\x0a", "\x18\x01", "\x1a\x01\xff"}) {
    const grpc::Status in(grpc::StatusCode::UNAVAILABLE, "busy", details);
    const absl::Status out = FromGrpcStatus(in, "reserve");
    CHECK(absl::IsUnavailable(out));
    CHECK(RetryAfter(out) == absl::ZeroDuration());
  }
}

}  // namespace korder::runtime
