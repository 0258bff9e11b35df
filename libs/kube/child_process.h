// A program that runs beside us, ended with us: a credential plug-in, a port-forward.
//
//   ASSIGN_OR_RETURN(const auto child, ChildProcess::Start({.argv = {"aws", "eks", "get-token"}}));
//   ASSIGN_OR_RETURN(const std::string output, child->ReadAll(absl::Minutes(5)));
//   if (child->Wait() != 0) { ... }
#pragma once

#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::kube {

struct ChildOptions {
  // The program is looked up in PATH unless it contains a slash.
  std::vector<std::string> argv;
  // Added to our own environment.
  std::map<std::string, std::string> env;
  bool share_stdin = false;   // otherwise it reads from /dev/null
  bool merge_stderr = false;  // stderr comes with stdout; otherwise it is ours
};

// Not thread-safe. The kernel ends the child when the thread that started it ends, however that
// happens; start children on a thread that lives as long as they are to.
class ChildProcess {
 public:
  // NOT_FOUND when there is no such program, INVALID_ARGUMENT when it cannot be run.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const ChildOptions& options);
  // Ends the child: SIGTERM, and SIGKILL if it does not obey within a second.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // What arrived on its output; waits for it; empty at the end. DEADLINE_EXCEEDED after `timeout`.
  absl::StatusOr<std::string> Read(absl::Duration timeout);
  // Everything up to the end. OUT_OF_RANGE when it is larger than 1 MiB.
  absl::StatusOr<std::string> ReadAll(absl::Duration timeout);
  // Until it has ended: its exit code, or 128 + the signal that ended it.
  int Wait();
  bool running();

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  // Takes notice of its end; true when it has ended.
  bool Reap(bool block);

  pid_t pid_;
  int output_;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace korder::kube
