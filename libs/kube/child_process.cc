#include "kube/child_process.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mono_time.h"
#include "base/status_macros.h"

namespace korder::kube {
namespace {

constexpr size_t kMaxOutput = 1 << 20;
constexpr int kPatience = 100;  // times 10 ms, from SIGTERM to SIGKILL

// A descriptor that is closed when it goes out of scope.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Pipe {
  Fd read;
  Fd write;
};

absl::StatusOr<Pipe> NewPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return InternalError(absl::StrCat("pipe: ", std::strerror(errno)));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!added.contains(std::string(text.substr(0, text.find('='))))) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : added) {
    result.push_back(absl::StrCat(name, "=", value));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

struct ChildPlan {
  char** argv;
  char** env;
  int null_input;  // -1: share ours
  int output;
  int error;  // where to tell why it could not be run
  bool merge_stderr;
  pid_t parent;
};

// In the child, between fork and exec: only what is safe after a fork of a program with threads.
[[noreturn]] void Become(const ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != plan.parent) {
    _exit(127);  // the parent ended before that took effect
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  const bool wired = (plan.null_input < 0 || dup2(plan.null_input, STDIN_FILENO) >= 0) &&
                     dup2(plan.output, STDOUT_FILENO) >= 0 &&
                     (!plan.merge_stderr || dup2(plan.output, STDERR_FILENO) >= 0);
  if (wired) {
    execvpe(plan.argv[0], plan.argv, plan.env);
  }
  const int why = errno;
  [[maybe_unused]] const ssize_t told = write(plan.error, &why, sizeof(why));
  _exit(127);
}

// The errno of a failed exec, or 0 when the program runs.
int ExecError(int fd) {
  int why = 0;
  ssize_t n = 0;
  do {
    n = read(fd, &why, sizeof(why));
  } while (n < 0 && errno == EINTR);
  return n == sizeof(why) ? why : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildOptions& options) {
  if (options.argv.empty() || options.argv.front().empty()) {
    return InvalidArgumentError("there is no program to run");
  }
  ASSIGN_OR_RETURN(Pipe output, NewPipe());
  ASSIGN_OR_RETURN(Pipe error, NewPipe());
  const Fd null_input(options.share_stdin ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = Environment(options.env);
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> env = Pointers(environment);
  const ChildPlan plan{.argv = argv.data(),
                       .env = env.data(),
                       .null_input = null_input.get(),
                       .output = output.write.get(),
                       .error = error.write.get(),
                       .merge_stderr = options.merge_stderr,
                       .parent = getpid()};
  const pid_t pid = fork();
  if (pid == 0) {
    Become(plan);
  }
  if (pid < 0) {
    return InternalError(absl::StrCat("fork: ", std::strerror(errno)));
  }
  error.write = Fd();
  output.write = Fd();
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, output.read.Release()));
  if (const int why = ExecError(error.read.get()); why != 0) {
    const std::string message = absl::StrCat("run ", options.argv.front(), ": ", strerror(why));
    return why == ENOENT ? NotFoundError(message) : InvalidArgumentError(message);
  }
  return child;
}

ChildProcess::~ChildProcess() {
  if (!Reap(false)) {
    kill(pid_, SIGTERM);
    for (int i = 0; i < kPatience && !Reap(false); ++i) {
      poll(nullptr, 0, 10);
    }
    if (!ended_) {
      kill(pid_, SIGKILL);
      Reap(true);
    }
  }
  close(output_);
}

bool ChildProcess::Reap(bool block) {
  while (!ended_) {
    const pid_t got = waitpid(pid_, &status_, block ? 0 : WNOHANG);
    if (got == 0) {
      return false;
    }
    ended_ = got == pid_ || errno != EINTR;
  }
  return true;
}

bool ChildProcess::running() { return !Reap(false); }

int ChildProcess::Wait() {
  Reap(true);
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

absl::StatusOr<std::string> ChildProcess::Read(absl::Duration timeout) {
  pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
  const int64_t limit = absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1)));
  const int n =
      poll(&ready, 1,
           static_cast<int>(std::min<int64_t>(std::max<int64_t>(limit, 0), 24 * 3600 * 1000)));
  if (n == 0) {
    return DeadlineExceededError("gave no output in time");
  }
  std::string text(4096, '\0');
  const ssize_t got = n < 0 ? -1 : read(output_, text.data(), text.size());
  if (got < 0 && errno != EINTR) {
    return InternalError(absl::StrCat("read its output: ", std::strerror(errno)));
  }
  if (got < 0) {
    return Read(timeout);
  }
  text.resize(static_cast<size_t>(got));
  return text;
}

absl::StatusOr<std::string> ChildProcess::ReadAll(absl::Duration timeout) {
  const MonoTime end = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  std::string all;
  for (;;) {
    ASSIGN_OR_RETURN(const std::string piece,
                     Read(absl::FromChrono(end - std::chrono::steady_clock::now())));
    if (piece.empty()) {
      return all;
    }
    all += piece;
    if (all.size() > kMaxOutput) {
      return OutOfRangeError("gave more than 1 MiB of output");
    }
  }
}

}  // namespace korder::kube
