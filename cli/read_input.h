// The file of a -f flag.
//
//   ASSIGN_OR_RETURN(const std::string text, ReadInput(session.io, "order.yaml"));
#pragma once

#include <string>

#include "base/status.h"
#include "cli/io.h"

namespace korder::cli {

// All of the file, or of standard input for "-".
absl::StatusOr<std::string> ReadInput(Io io, const std::string& file);

}  // namespace korder::cli
