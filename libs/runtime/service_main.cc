#include "runtime/service_main.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <malloc.h>
#include <random>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "runtime/grpc_setup.h"
#include "runtime/thread_name.h"
#include "runtime/version.h"

namespace korder::runtime {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongFlags = 2;

// What a signal handler may touch has to be global.
std::atomic<int> g_signal_pipe = -1;
std::atomic<int> g_signals = 0;

void OnSignal(int signal) {
  const int saved = errno;
  if (g_signals.fetch_add(1) > 0) {
    _exit(128 + signal);  // whoever signals twice does not want to wait
  }
  const auto byte = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t n = write(g_signal_pipe.load(), &byte, 1);
  errno = saved;
}

// While it lives, SIGTERM and SIGINT request a stop. A handler may not call request_stop, so it
// writes to a pipe that a thread reads.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source stop) {
    if (pipe2(pipe_, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
    g_signals = 0;
    g_signal_pipe = pipe_[1];
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, &old_term_);
    sigaction(SIGINT, &action, &old_int_);
    thread_ = std::jthread([this, stop] { Watch(stop); });
  }
  ~StopOnSignal() {
    sigaction(SIGTERM, &old_term_, nullptr);
    sigaction(SIGINT, &old_int_, nullptr);
    close(pipe_[1]);  // ends the read
    thread_.join();
    close(pipe_[0]);
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

 private:
  void Watch(std::stop_source stop) const {
    SetThreadName("signals");
    unsigned char signal = 0;
    ssize_t n = 0;
    do {
      n = read(pipe_[0], &signal, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1) {
      log::Info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      stop.request_stop();
    }
  }

  int pipe_[2] = {-1, -1};
  struct sigaction old_term_ = {};
  struct sigaction old_int_ = {};
  std::jthread thread_;
};

std::string DefaultIdentity() {
  char host[256] = "unknown";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "_", absl::Hex(std::random_device{}(), absl::kZeroPad8));
}

// Log settings as the command line spells them.
struct LogFlags {
  std::string level = "info";
  std::string format = "text";
};

// What is wrong with it, or "": see kube::IdentityIn.
std::string WhyNoUid(const std::string& uid) {
  return uid.find('_') == std::string::npos ? "" : "a UID has no '_'";
}

void AddCommonFlags(CLI::App& app, CommonConfig& common, LogFlags& logs) {
  app.add_option("--kubeconfig", common.kubeconfig,
                 "Cluster access; default: $KUBECONFIG, in-cluster, ~/.kube/config");
  app.add_option("--namespace", common.ns, "Where korder lives: leases, Secrets, the ledger");
  app.add_option("--identity", common.identity, "Name of this process, unique among replicas");
  app.add_option("--pod-uid", common.pod_uid,
                 "UID of this process's pod: the Lease of an earlier process there is taken over "
                 "without waiting for its end")
      ->check(CLI::Validator(WhyNoUid, "UID"));
  app.add_option("--grpc-listen", common.grpc_listen, "host:port of the gRPC server");
  app.add_option("--http-listen", common.http_listen, "host:port of health and metrics");
  app.add_flag("--leader-elect,!--no-leader-elect", common.leader_elect,
               "Act only while holding the Lease")
      ->default_str(common.leader_elect ? "true" : "false");
  app.add_option("--log-level", logs.level)
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_option("--log-format", logs.format)->check(CLI::IsMember({"text", "json"}));
}

// Every long flag --some-name can also be given as KORDER_SOME_NAME.
std::string EnvironmentName(const std::string& flag) {
  return absl::StrCat("KORDER_", absl::AsciiStrToUpper(absl::StrReplaceAll(flag, {{"-", "_"}})));
}

void AddEnvironment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::vector<std::string>& names = option->get_lnames();
    if (!names.empty() && names.front() != "help" && names.front() != "version") {
      option->envname(EnvironmentName(names.front()));
    }
  }
}

// CLI11 lets a config file win over the environment; the usual order is the other way round.
class FileBelowEnvironment final : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    std::vector<CLI::ConfigItem> found = CLI::ConfigTOML::from_config(in);
    std::erase_if(found, [](const CLI::ConfigItem& item) {
      const char* value = std::getenv(EnvironmentName(item.name).c_str());
      return value != nullptr && *value != '\0';
    });
    return found;
  }
};

std::string EffectiveConfig(const CLI::App& app) {
  const std::string lines = app.config_to_str(/*default_also=*/true);
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(lines), {{"\n", " "}});
}

// What a service of dozens of threads, most of which wait, does not want of the libraries.
void TuneLibraries() {
  // glibc gives up to eight heaps to each core, and what one of them has grown by is lost to the
  // others. Measured with 1,500 tickets: 7.3 KiB for each instead of 8.1.
  mallopt(M_ARENA_MAX, 2);
  // The distribution's build looks for lock cycles at each lock, which is for finding defects.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

absl::Status RunGuarded(const std::function<absl::Status(std::stop_token)>& run) {
  std::stop_source stop;
  try {
    const StopOnSignal on_signal(stop);
    const absl::Status status = run(stop.get_token());
    const bool stopped = stop.stop_requested() && absl::IsCancelled(status);
    return stopped ? absl::OkStatus() : status;
  } catch (const std::exception& e) {
    return InternalError(absl::StrCat("uncaught exception: ", e.what()));
  }
}

}  // namespace

int Main(int argc, char** argv, std::string_view service, CommonConfig& common,
         const std::function<void(CLI::App&)>& add_flags,
         const std::function<absl::Status(std::stop_token)>& run) {
  TuneLibraries();
  PrepareGrpc();
  common.service = service;
  common.identity = DefaultIdentity();
  LogFlags logs;
  CLI::App app("korder " + std::string(service), std::string(service));
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", absl::StrCat(common.service, " ", std::string(Version())));
  app.set_config("--config", "", "Flags from a TOML or INI file: namespace = \"korder-system\"");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.config_formatter(std::make_shared<FileBelowEnvironment>());
  AddCommonFlags(app, common, logs);
  if (add_flags) {
    add_flags(app);
  }
  AddEnvironment(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kWrongFlags;  // --help and --version come here, too
  }
  common.log_level = *log::ParseLevel(logs.level);
  common.log_format = *log::ParseFormat(logs.format);
  log::Init({.level = common.log_level, .format = common.log_format, .service = common.service});
  log::Info("starting", {{"version", Version()}, {"config", EffectiveConfig(app)}});

  std::signal(SIGPIPE, SIG_IGN);  // a connection that broke is an error of the write, not our end
  const absl::Status status = RunGuarded(run);
  if (!status.ok()) {
    log::Error("service failed", {{"error", ToString(status)}});
    return kFailed;
  }
  log::Info("stopped");
  return 0;
}

}  // namespace korder::runtime
