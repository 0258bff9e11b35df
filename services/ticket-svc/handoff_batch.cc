#include "ticket-svc/handoff_batch.h"

#include <algorithm>

#include "ticket-svc/handoff_method.h"

namespace korder::ticket {
namespace {

// Where the node's handoffs stand, taken together.
struct Standing {
  bool some_to_mark = false;   // the guardian is there, the pod is yet to be marked
  bool some_marked = false;    // nominated beside their guardians
  bool some_held_up = false;   // and not to be released yet
  bool some_released = false;  // the guardian is gone, the gate is shut
  bool some_beyond = false;    // past the release
};

// Nominated, and not released before somebody else acts: nobody knows when.
bool IsHeldUp(const HandoffMove& move, HandoffStage stage) {
  return stage == HandoffStage::kMarked &&
         (move.act == HandoffAct::kFence || move.act == HandoffAct::kWait);
}

Standing StandingOf(std::span<const HandoffView> views, const std::vector<HandoffMove>& moves) {
  Standing standing;
  for (size_t i = 0; i < views.size(); ++i) {
    const HandoffStage stage = StageOf(views[i]);
    standing.some_to_mark |= stage <= HandoffStage::kMarked && moves[i].act == HandoffAct::kMark;
    standing.some_marked |= stage == HandoffStage::kMarked && views[i].method.nominates();
    standing.some_held_up |= IsHeldUp(moves[i], stage);
    standing.some_released |= stage == HandoffStage::kReleased;
    standing.some_beyond |= stage == HandoffStage::kReleased || stage == HandoffStage::kOpen;
  }
  return standing;
}

HandoffMove StepBack(const HandoffMove& move) {
  return {.act = HandoffAct::kAbort,
          .reason =
              move.act == HandoffAct::kFence ? HandoffReason::kTimeout : HandoffReason::kContested,
          .wait = absl::ZeroDuration()};
}

bool HasToWait(const HandoffMove& move, HandoffStage stage, const Standing& standing) {
  switch (move.act) {
    case HandoffAct::kMark:
      // The room of the others must have passed on before another one is counted twice.
      return stage == HandoffStage::kHeld && standing.some_beyond;
    case HandoffAct::kFence:
      return standing.some_to_mark && !standing.some_beyond;  // One answer serves all.
    case HandoffAct::kRelease:
      // All together, or a gate would stay shut beside a guardian that stays.
      return standing.some_held_up || (standing.some_to_mark && !standing.some_beyond);
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
    const HandoffStage stage = StageOf(views[i]);
    if (!views[i].method.nominates()) {
      continue;
    }
    if (standing.some_released && IsHeldUp(moves[i], stage)) {
      // It keeps a gate shut whose room only a nomination guards: that must not last.
      moves[i] = StepBack(moves[i]);
    } else if (HasToWait(moves[i], stage, standing)) {
      moves[i] = WaitFor(kLookAgain);
    }
  }
  return moves;
}

}  // namespace korder::ticket
