#include "kube/child_process.h"

#include <chrono>
#include <csignal>

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

std::unique_ptr<ChildProcess> Shell(const std::string& script, ChildOptions options = {}) {
  options.argv = {"sh", "-c", script};
  auto child = ChildProcess::Start(options);
  INFO(ToString(child.status()));
  REQUIRE(child.ok());
  return *std::move(child);
}

TEST_CASE("child process: its output and its exit code come back", "[child]") {
  const auto child = Shell("echo one; echo two >&2; exit 3", {.merge_stderr = true});
  CHECK(*child->ReadAll(absl::Seconds(10)) == "one\ntwo\n");
  CHECK(child->Wait() == 3);
  CHECK_FALSE(child->running());
  CHECK(Shell("kill -9 $$")->Wait() == 128 + SIGKILL);
}

TEST_CASE("child process: what is added to the environment replaces what was there", "[child]") {
  const auto child = Shell("echo $HOME $ADDED; cat", {.env = {{"HOME", "/h"}, {"ADDED", "a b"}}});
  CHECK(*child->ReadAll(absl::Seconds(10)) == "/h a b\n");  // and stdin is at its end
}

TEST_CASE("child process: a program that is not there is told from one that cannot run",
          "[child]") {
  CHECK(absl::IsNotFound(ChildProcess::Start({.argv = {"korder-no-such-program"}}).status()));
  CHECK(absl::IsNotFound(ChildProcess::Start({.argv = {"/no/such/program"}}).status()));
  CHECK(absl::IsInvalidArgument(ChildProcess::Start({.argv = {"/etc/passwd"}}).status()));
  CHECK(absl::IsInvalidArgument(ChildProcess::Start({}).status()));
}

TEST_CASE("child process: one that says nothing is not waited for for ever", "[child]") {
  const auto child = Shell("exec sleep 100");
  CHECK(absl::IsDeadlineExceeded(child->Read(absl::Milliseconds(20)).status()));
  CHECK(child->running());
}

TEST_CASE("child process: it ends with its owner, also when it does not want to", "[child]") {
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<ChildProcess> child = Shell("trap '' TERM; echo $$; exec sleep 100");
  const pid_t pid = std::stoi(*child->Read(absl::Seconds(10)));
  CHECK(kill(pid, 0) == 0);
  child.reset();
  CHECK(kill(pid, 0) != 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("child process: endless output is cut off", "[child]") {
  CHECK(absl::IsOutOfRange(Shell("yes")->ReadAll(absl::Seconds(30)).status()));
}

}  // namespace
}  // namespace korder::kube
