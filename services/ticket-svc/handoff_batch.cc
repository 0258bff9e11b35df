#include "ticket-svc/handoff_batch.h"

#include <algorithm>

#include "ticket-svc/handoff_method.h"

namespace korder::ticket {
namespace {

// Where the node's handoffs stand, taken together.
struct Standing {
  bool some_to_mark = false;   // the guardian is there, the pod is yet to be marked
  bool some_to_fence = false;  // marked, and the scheduler has not answered yet
  bool some_marked = false;    // nominated beside their guardians
  bool some_beyond = false;    // past the release
};

Standing StandingOf(std::span<const HandoffView> views, const std::vector<HandoffMove>& moves) {
  Standing standing;
  for (size_t i = 0; i < views.size(); ++i) {
    const HandoffStage stage = StageOf(views[i]);
    standing.some_to_mark |= stage <= HandoffStage::kMarked && moves[i].act == HandoffAct::kMark;
    standing.some_to_fence |= moves[i].act == HandoffAct::kFence;
    standing.some_marked |= stage == HandoffStage::kMarked && views[i].method.nominates();
    standing.some_beyond |= stage == HandoffStage::kReleased || stage == HandoffStage::kOpen;
  }
  return standing;
}

bool HasToWait(const HandoffMove& move, HandoffStage stage, const Standing& standing) {
  switch (move.act) {
    case HandoffAct::kMark:
      // The room of the others must have passed on before another one is counted twice.
      return stage == HandoffStage::kHeld && standing.some_beyond;
    case HandoffAct::kFence:
      return standing.some_to_mark && !standing.some_beyond;  // One answer serves all.
    case HandoffAct::kRelease:
      return standing.some_to_fence || (standing.some_to_mark && !standing.some_beyond);
    case HandoffAct::kUngate:
      return standing.some_marked;
    default:
      return false;
  }
}

}  // namespace

std::vector<HandoffMove> DecideBatch(std::span<const HandoffView> views) {
  std::vector<HandoffMove> moves;
  moves.reserve(views.size());
  for (const HandoffView& view : views) {
    moves.push_back(HandoffStep(view));
  }
  const Standing standing = StandingOf(views, moves);
  for (size_t i = 0; i < views.size(); ++i) {
    if (views[i].method.nominates() && HasToWait(moves[i], StageOf(views[i]), standing)) {
      moves[i] = WaitFor(kLookAgain);
    }
  }
  return moves;
}

}  // namespace korder::ticket
