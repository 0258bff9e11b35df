// korderctl: looks at quotas and asks whether an order would fit. Reads the kubeconfig, quota-svc,
// and of the API server what leads to it. Writes nothing but its output. Signals end it, and the
// kernel then ends the port-forwards that it started.
#include <clocale>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <langinfo.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/clock.h"
#include "cli/app.h"
#include "cli/exit_code.h"
#include "runtime/grpc_setup.h"

namespace korder::cli {
namespace {

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

Screen ScreenOfProcess() {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  std::setlocale(LC_CTYPE, "");
  return {.color = isatty(STDOUT_FILENO) == 1 && !dumb && !IsSet("NO_COLOR"),
          .unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8"};
}

}  // namespace
}  // namespace korder::cli

int main(int argc, char** argv) {
  using korder::cli::ExitCode;
  try {
    korder::runtime::PrepareGrpc();
    const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename() : "korderctl";
    const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
    return korder::cli::RunKorderctl(
        args, program, {std::cin, std::cout, std::cerr}, korder::cli::ScreenOfProcess(),
        korder::cli::SurroundingsOfProcess(), korder::SystemClock(), {});
  } catch (const std::exception& e) {
    std::cerr << "error: " << e.what() << "\n";
    return static_cast<int>(ExitCode::kFailed);
  }
}
