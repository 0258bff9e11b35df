// How careful a handoff has to be with the scheduler of this cluster.
//
//   driver.Set(ProfileFor(*ParseServerMinor(body)));
#pragma once

#include <string>

#include "base/status.h"
#include "ticket-svc/handoff_driver.h"

namespace korder::ticket {

// The minor version in the answer to GET /version: 35 of "35" or "35+".
absl::StatusOr<int> ParseServerMinor(std::string version_json);

// From 1.35 on one handler in the scheduler sees a pod's nomination and the guardian's deletion in
// their order. Before, the gate must stay shut until the deletion has surely been seen.
HandoffOptions ProfileFor(int server_minor);

}  // namespace korder::ticket
