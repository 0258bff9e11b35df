#include "runtime/service_main.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <CLI/App.hpp>
#include <catch2/catch.hpp>

#include "base/mutex.h"

namespace korder::runtime {
namespace {

// Runs Main as `order-svc <args>` would.
struct Program {
  int Run(std::vector<std::string> args) {
    args.insert(args.begin(), "order-svc");
    std::vector<char*> argv;
    for (std::string& arg : args) {
      argv.push_back(arg.data());
    }
    return Main(
        static_cast<int>(argv.size()), argv.data(), "order-svc", common,
        [this](CLI::App& app) { app.add_option("--quota-address", quota_address); }, run);
  }

  CommonConfig common;
  std::string quota_address = "dns:///quota:9090";
  bool ran = false;
  std::function<absl::Status(std::stop_token)> run = [this](std::stop_token) {
    ran = true;
    return absl::OkStatus();
  };
};

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name_); }

 private:
  const char* const name_;
};

// A file that goes away with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    std::string path = (std::filesystem::temp_directory_path() / "korder-test-XXXXXX").string();
    close(mkstemp(path.data()));
    path_ = path;
    std::ofstream(path_) << text;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void WaitFor(std::stop_token stop) {
  Mutex mu;
  CondVar never_signalled;
  const MutexLock lock(mu);
  never_signalled.Wait(mu, std::move(stop), [] { return false; });
}

}  // namespace

TEST_CASE("service main: flags reach the common and the service's own config", "[main]") {
  Program program;
  CHECK(program.Run({"--kubeconfig=/k", "--namespace", "other", "--identity=me", "--pod-uid=8d3c-1",
                     "--grpc-listen=0.0.0.0:1", "--http-listen=0.0.0.0:2", "--leader-elect=false",
                     "--log-level=warn", "--log-format=json", "--quota-address=q:1"}) == 0);
  CHECK(program.ran);
  CHECK(program.common.FullName() == "korder-order-svc");
  CHECK(program.common.kubeconfig == "/k");
  CHECK(program.common.ns == "other");
  CHECK(program.common.identity == "me");
  CHECK(program.common.pod_uid == "8d3c-1");
  CHECK(program.common.grpc_listen == "0.0.0.0:1");
  CHECK(program.common.http_listen == "0.0.0.0:2");
  CHECK_FALSE(program.common.leader_elect);
  CHECK(program.common.log_level == log::Level::kWarn);
  CHECK(program.common.log_format == log::Format::kJson);
  CHECK(program.quota_address == "q:1");
}

TEST_CASE("service main: without flags the defaults hold and the identity is unique", "[main]") {
  Program first;
  Program second;
  CHECK(first.Run({}) == 0);
  CHECK(second.Run({}) == 0);
  CHECK(first.common.ns == "korder-system");
  CHECK(first.common.leader_elect);
  CHECK(first.common.pod_uid.empty());
  CHECK(first.quota_address == "dns:///quota:9090");
  CHECK(first.common.identity != second.common.identity);
}

TEST_CASE("service main: flags win over the environment, which wins over the file", "[main]") {
  const TempFile file(
      "namespace = \"file\"\nhttp-listen = \"file:1\"\nidentity = \"file\"\n"
      "leader-elect = false\n");
  const Environment ns("KORDER_NAMESPACE", "environment");
  const Environment listen("KORDER_HTTP_LISTEN", "environment:1");
  const Environment quota("KORDER_QUOTA_ADDRESS", "environment:2");
  Program program;
  CHECK(program.Run({"--config", file.path(), "--namespace=flag"}) == 0);
  CHECK(program.common.ns == "flag");
  CHECK(program.common.http_listen == "environment:1");
  CHECK(program.common.identity == "file");
  CHECK_FALSE(program.common.leader_elect);
  CHECK(program.quota_address == "environment:2");
}

TEST_CASE("service main: what cannot be understood ends with 2 and runs nothing", "[main]") {
  const TempFile unknown_key("namespaces = \"x\"\n");
  struct Case {
    const char* name;
    std::vector<std::string> args;
  };
  const Case cases[] = {
      {"an unknown flag", {"--no-such-flag"}},
      {"a flag without its value", {"--namespace"}},
      {"an unknown log level", {"--log-level=loud"}},
      {"an unknown log format", {"--log-format=xml"}},
      {"a UID that is none", {"--pod-uid=8d3c_1"}},
      {"a stray argument", {"stray"}},
      {"an unknown key in the config file", {"--config", unknown_key.path()}},
      {"a config file that is not there", {"--config", "/no/such/file"}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Program program;
      CHECK(program.Run(c.args) == 2);
      CHECK_FALSE(program.ran);
    }
  }
}

TEST_CASE("service main: --help and --version end with 0 and run nothing", "[main]") {
  for (const char* flag : {"--help", "--version"}) {
    Program program;
    CHECK(program.Run({flag}) == 0);
    CHECK_FALSE(program.ran);
  }
}

TEST_CASE("service main: an error or an exception ends with 1", "[main]") {
  Program program;
  program.run = [](std::stop_token) { return UnavailableError("no API server"); };
  CHECK(program.Run({}) == 1);
  program.run = [](std::stop_token) -> absl::Status { throw std::runtime_error("oops"); };
  CHECK(program.Run({}) == 1);
  program.run = [](std::stop_token) { return CancelledError("nobody asked for it"); };
  CHECK(program.Run({}) == 1);
}

TEST_CASE("service main: a signal requests the stop, which is a success", "[main]") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Program program;
    program.run = [signal](std::stop_token stop) {
      kill(getpid(), signal);
      WaitFor(stop);
      return CancelledError("stopped while waiting");
    };
    CHECK(program.Run({}) == 0);
  }
}

TEST_CASE("service main: a second signal ends the process at once", "[main]") {
  const pid_t child = fork();
  if (child == 0) {
    Program program;
    program.run = [](std::stop_token stop) -> absl::Status {
      kill(getpid(), SIGTERM);
      WaitFor(stop);
      kill(getpid(), SIGTERM);
      WaitFor({});  // never ends by itself
      return absl::OkStatus();
    };
    _exit(program.Run({}));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
}

}  // namespace korder::runtime
