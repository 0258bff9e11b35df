// What keeps others out of a room while it passes on. Pure. Two methods:
//
// Nominate: the pod is nominated to the node while the guardian still runs. The scheduler counts a
// nominated pod as if it ran, gated or not, against every pod of its priority or less, so the room
// is at no instant free in its eyes. Any pod can claim this way.
//
// Preempt: nothing is nominated. The pod outranks everybody else, and is bound to the node by its
// affinity when its gate opens: should somebody have slipped into the room, the scheduler's own
// preemption puts him out again. Only pods whose priority is above the guardian's can claim this
// way. For clusters where nobody but the scheduler may write nominations.
//
//   const HandoffMethod& method = MethodOf(HandoffMethodName::kNominate);
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "api/core/pod.h"
#include "ticket-svc/handoff_step.h"

namespace korder::ticket {

enum class HandoffMethodName { kNominate, kPreempt };
constexpr auto EnumNames(HandoffMethodName) {
  return std::to_array<std::string_view>({"nominate", "preempt"});
}

// Stateless; lives as long as the program.
class HandoffMethod {
 public:
  virtual ~HandoffMethod() = default;

  // The mark on the pod is accompanied by a nomination. While it stands beside the guardian, the
  // scheduler counts the room twice.
  virtual bool nominates() const = 0;
  // The pod is bound to the node even if it would rather run elsewhere than not at all.
  virtual bool always_pins() const = 0;
  // Why the pod cannot take over this guardian's room this way, as a fragment that reads on after
  // "the ticket"; nothing when it can.
  virtual std::optional<std::string> WhyNot(const api::Pod& pod, const OwnPod& guardian) const = 0;
  // The guardian is gone, the pod is marked and its gate shut, the node is there.
  virtual HandoffMove Released(const HandoffView& view) const = 0;
  // The gate is open, the pod not bound.
  virtual HandoffMove Open(const HandoffView& view) const = 0;
};

const HandoffMethod& MethodOf(HandoffMethodName name);

}  // namespace korder::ticket
