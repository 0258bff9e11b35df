// `korderctl explain pod|ticket NAME`: gathers what the cluster knows, and says it in plain words.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/quota_commands.h"

namespace korder::cli {

// Of the namespace of -n, or the context's. NOT_FOUND when there is no such object.
absl::Status ExplainPodNow(Session& session, const std::string& name);
absl::Status ExplainTicketNow(Session& session, const std::string& name);

}  // namespace korder::cli
