#include "audit_tail.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace korder::bench {
namespace {

std::string Line(const std::string& verb, const std::string& stage, int code) {
  return absl::StrCat(
      R"({"kind":"Event","stage":")", stage, R"(","verb":")", verb,
      R"(","user":{"username":"system:serviceaccount:korder-system:korder-ticket-svc"},)",
      R"("objectRef":{"resource":"tickets","namespace":"a","name":"t-1","apiGroup":"core.korder.dev",)",
      R"("subresource":"status"},)", R"("responseStatus":{"code":)", code,
      R"(},"requestReceivedTimestamp":"2026-01-02T03:04:05.5Z",)",
      R"("stageTimestamp":"2026-01-02T03:04:05.678901Z"})");
}

TEST_CASE("audit log: a line says who did what, when, and how it ended", "[bench]") {
  const auto request = ParseAuditLine(Line("patch", "ResponseComplete", 409));
  REQUIRE(request);
  CHECK(request->user == "korder-ticket-svc");
  CHECK(request->by_korder());
  CHECK(request->verb == "patch");
  CHECK(request->group == "core.korder.dev");
  CHECK(request->resource == "tickets/status");
  CHECK(request->ns == "a");
  CHECK(request->name == "t-1");
  CHECK(request->code == 409);
  CHECK_FALSE(request->ok());
  CHECK(absl::FormatTime(absl::RFC3339_full, request->at, absl::UTCTimeZone()) ==
        "2026-01-02T03:04:05.678901+00:00");
  CHECK(request->at - request->received == absl::Microseconds(178901));
}

TEST_CASE("audit log: watches, and requests that are only received, are left out", "[bench]") {
  CHECK_FALSE(ParseAuditLine(Line("watch", "ResponseComplete", 200)));
  CHECK_FALSE(ParseAuditLine(Line("patch", "RequestReceived", 0)));
  CHECK_FALSE(ParseAuditLine("{\"kind\":"));
  CHECK_FALSE(ParseAuditLine(""));
}

TEST_CASE("audit log: only what is new is read, and a line in two parts once", "[bench]") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / absl::StrCat("korder-audit-", ::getpid());
  std::ofstream log(path);
  log << Line("create", "ResponseComplete", 201) << std::endl;
  AuditTail tail(path.string());
  tail.Poll();
  CHECK(tail.requests().empty());
  const std::string line = Line("patch", "ResponseComplete", 200);
  log << line << "\n" << line.substr(0, 50) << std::flush;
  tail.Poll();
  CHECK(tail.requests().size() == 1);
  log << line.substr(50) << std::flush;
  tail.Poll();
  CHECK(tail.requests().size() == 1);
  log << std::endl;
  tail.Poll();
  CHECK(tail.requests().size() == 2);
  tail.Clear();
  tail.Poll();
  CHECK(tail.requests().empty());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace korder::bench
