// korderctl: shows orders, tickets and quotas, and asks what an order would do. Reads the
// kubeconfig, quota-svc, order-svc, ticket-svc, and of the API server what leads to them and what
// it shows. Writes nothing but its output; only skip-next, pause and resume change an Order.
// Signals end it, and the kernel then ends the port-forwards that it started.
#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <langinfo.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
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

// As wide as the terminal, within what can be read well.
size_t Width() {
  winsize size = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::clamp<size_t>(size.ws_col, 80, 120) : 100;
}

Screen ScreenOfProcess() {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  std::setlocale(LC_CTYPE, "");
  return {.color = isatty(STDOUT_FILENO) == 1 && !dumb && !IsSet("NO_COLOR"),
          .unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8",
          .width = Width()};
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
