// A shell to run korderctl in, and the CA that it trusts, for the tests of the whole program.
//
//   Shell shell;
//   const Outcome list = shell.Run({"quota", "list", "--token", "mine", "--ca-file",
//   shell.ca_file()}); CHECK(list.code == 0);
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cli/app.h"
#include "runtime/testing/test_certs.h"

namespace korder::cli {

inline const runtime::TestCa& Ca() {
  static const runtime::TestCa ca;
  return ca;
}

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// A shell with a CA file, and no cluster unless a test gives one.
class Shell {
 public:
  Shell() {
    std::string name = (std::filesystem::temp_directory_path() / "korder-app-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Write("ca.pem", Ca().Issue("x").ca);
  }
  ~Shell() { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  Outcome Run(std::vector<std::string> args, const std::string& input = "") {
    std::istringstream in(input);
    Outcome outcome;
    std::ostringstream out;
    std::ostringstream err;
    outcome.code =
        RunKorderctl(args, program, {in, out, err}, {}, surroundings, *clock, stop.get_token());
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
  }
  // With all that is needed to reach quota-svc at that address.
  Outcome Ask(const std::string& address, std::vector<std::string> args,
              const std::string& input = "") {
    args.insert(args.end(), {"--server", address, "--token", "mine", "--ca-file",
                             (folder_ / "ca.pem").string()});
    return Run(std::move(args), input);
  }
  std::string ca_file() const { return (folder_ / "ca.pem").string(); }

  std::string program = "korderctl";
  SystemClock system_clock;
  const Clock* clock = &system_clock;
  Surroundings surroundings;
  std::stop_source stop;

 private:
  std::filesystem::path folder_;
};

}  // namespace korder::cli
