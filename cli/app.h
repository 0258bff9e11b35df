// korderctl as a function of its arguments and surroundings: what main calls, and tests.
//
//   return RunKorderctl({"quota", "list"}, "korderctl", io, screen, surroundings, clock, stop);
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/connect.h"
#include "cli/io.h"

namespace korder::cli {

// What the output goes to.
struct Screen {
  bool color = false;    // a terminal that understands escape sequences, and a user who wants them
  bool unicode = false;  // the locale can show block characters
  size_t width = 100;    // columns for pictures
};

// `program` is the name it was called by: "kubectl-korder" is a plug-in of kubectl, and
// "kubectl_complete-korder" what kubectl asks for completions. Returns the exit code.
int RunKorderctl(const std::vector<std::string>& args, const std::string& program, Io io,
                 const Screen& screen, Surroundings surroundings, const Clock& clock,
                 std::stop_token stop);

}  // namespace korder::cli
