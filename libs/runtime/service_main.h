// The only place with exit codes, signal handling and a catch-all.
//
//   int main(int argc, char** argv) {
//     order::Config config;
//     return runtime::Main(argc, argv, "order-svc", config.common,
//                          [&](CLI::App& app) { app.add_option("--quota-address", ...); },
//                          [&](std::stop_token stop) { return order::Run(config, stop); });
//   }
//
// Exit codes: 0 stopped by a signal, 1 failed (one log line says why), 2 wrong flags.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "base/status.h"
#include "runtime/config.h"

namespace CLI {
class App;
}

namespace korder::runtime {

// Flags win over the environment (KORDER_LOG_LEVEL for --log-level), which wins over the file of
// --config. Parses flags into `common` and what `add_flags` binds, sets up logging, runs `run`
// until SIGTERM or SIGINT (a second signal ends the process at once).
int Main(int argc, char** argv, std::string_view service, CommonConfig& common,
         const std::function<void(CLI::App&)>& add_flags,
         const std::function<absl::Status(std::stop_token)>& run);

}  // namespace korder::runtime
