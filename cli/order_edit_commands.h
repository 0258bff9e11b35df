// `korderctl skip-next`, `pause`, `resume`: the small changes of orders that people make by hand.
// Each says what it did.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "cli/quota_commands.h"

namespace korder::cli {

struct SkipOptions {
  std::string order;
  bool undo = false;
  bool dry_run = false;  // says what it would do
};
// NOT_FOUND when there is no such order.
absl::Status SkipNextWindow(Session& session, const SkipOptions& options);

// Sets spec.paused of each; those that are so already are told. NOT_FOUND when one of them does not
// exist; the others are changed.
absl::Status SetPaused(Session& session, const std::vector<std::string>& orders, bool paused);

}  // namespace korder::cli
