#include "cli/explain.h"

#include <catch2/catch.hpp>

#include "cli/exit_code.h"

namespace korder::cli {
namespace {

TEST_CASE("explain: every error says what to do next, and keeps its exit code", "[explain]") {
  struct Case {
    const char* name;
    absl::Status status;
    const char* want;
    ExitCode code;
  };
  const Case cases[] = {
      {"nothing there",
       UnavailableError("connections to all backends failing; last error: refused"),
       "korder's quota-svc does not answer at a:1: refused; is korder running? try: kubectl -n sys "
       "get pods, or pass --server",
       ExitCode::kUnreachable},
      {"nobody leads", UnavailableError("last error: UNAVAILABLE: backend unhealthy"),
       "korder's quota-svc runs at a:1, but none of its replicas there leads at the moment; ",
       ExitCode::kUnreachable},
      {"slow", DeadlineExceededError("Deadline Exceeded"), "--timeout", ExitCode::kUnreachable},
      {"somebody else", UnavailableError("Ssl handshake failed: certificate verify failed"),
       "what answers at a:1 does not prove to be korder's quota-svc: ", ExitCode::kUnreachable},
      {"unknown token", UnauthenticatedError("who?"), "--service-account", ExitCode::kForbidden},
      {"not allowed", PermissionDeniedError("joe may not"), "korder-viewer", ExitCode::kForbidden},
      {"old server", absl::UnimplementedError(""), "upgrade korder", ExitCode::kFailed},
      {"wrong question", InvalidArgumentError("namespace: \"x\": does not exist"),
       "namespace: \"x\": does not exist", ExitCode::kFailed},
      {"fine", absl::OkStatus(), "", ExitCode::kOk},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const absl::Status got = Explain(c.status, {.where = "a:1", .system_namespace = "sys"});
      CHECK_THAT(std::string(Message(got)), Catch::Contains(c.want));
      CHECK(ToExitCode(got) == c.code);
    }
  }
}

TEST_CASE("explain: only what may pass by itself is tried again", "[explain]") {
  CHECK(MayPass(UnavailableError("nobody leads")));
  CHECK_FALSE(MayPass(UnavailableError("certificate verify failed")));
  CHECK_FALSE(MayPass(DeadlineExceededError("")));
  CHECK_FALSE(MayPass(UnauthenticatedError("")));
  CHECK_FALSE(MayPass(absl::OkStatus()));
}

TEST_CASE("exit codes: each kind of failure has its own", "[explain]") {
  CHECK(static_cast<int>(ToExitCode(absl::OkStatus())) == 0);
  CHECK(static_cast<int>(ToExitCode(InvalidArgumentError(""))) == 1);
  CHECK(static_cast<int>(ToExitCode(FailedPreconditionError(""))) == 1);
  CHECK(static_cast<int>(ToExitCode(InternalError(""))) == 1);
  CHECK(static_cast<int>(ToExitCode(UnavailableError(""))) == 2);
  CHECK(static_cast<int>(ToExitCode(DeadlineExceededError(""))) == 2);
  CHECK(static_cast<int>(ExitCode::kDenied) == 3);
  CHECK(static_cast<int>(ToExitCode(UnauthenticatedError(""))) == 4);
  CHECK(static_cast<int>(ToExitCode(PermissionDeniedError(""))) == 4);
  CHECK(static_cast<int>(ToExitCode(NotFoundError(""))) == 5);
}

}  // namespace
}  // namespace korder::cli
