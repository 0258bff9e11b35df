// How careful a handoff has to be with the scheduler of this cluster. Pure.
//
//   const HandoffOptions options = OptionsFor(*ParseServerMinor(body), FenceMode::kAuto, method);
//   if (NeedsFence(options, disturbed_ago)) { ... }
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"
#include "ticket-svc/handoff_method.h"

namespace korder::ticket {

// Whether the scheduler is asked before each release if it has seen the nomination (fence.h).
enum class FenceMode { kAuto, kAlways, kNever };
constexpr auto EnumNames(FenceMode) {
  return std::to_array<std::string_view>({"auto", "always", "never"});
}

struct HandoffOptions {
  HandoffMethodName method = HandoffMethodName::kNominate;
  FenceMode fence = FenceMode::kAuto;
  // The scheduler handles a nomination and a deletion in the order in which they were made.
  bool scheduler_keeps_order = true;
  // Waited between the guardian's deletion and the opening of the gate.
  absl::Duration settle;
};

// The minor version in the answer to GET /version: 35 of "35" or "35+".
absl::StatusOr<int> ParseServerMinor(std::string version_json);

// From 1.35 on one handler in the scheduler sees a pod's nomination and the guardian's deletion in
// their order. Before, both may be seen late and in any order: the guardian stays until the
// nomination has been seen for sure, and the gate shut until the deletion has.
HandoffOptions OptionsFor(int server_minor, FenceMode fence, HandoffMethodName method);

// How long after trouble with the API server the scheduler may have listed everything anew, which
// turns the order of events around.
inline constexpr absl::Duration kDisturbed = absl::Minutes(1);

// `disturbed_ago`: since the last sign of such trouble.
bool NeedsFence(const HandoffOptions& options, absl::Duration disturbed_ago);

}  // namespace korder::ticket
