// `korderctl explain -f FILE`: what would become of the pods in a file. Changes nothing.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/quota_commands.h"

namespace korder::cli {

// False when one of them would be refused.
absl::StatusOr<bool> ExplainFile(Session& session, const std::string& file);

}  // namespace korder::cli
