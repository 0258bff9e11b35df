#include "ticket-svc/claim_decide.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "ticket-svc/handoff_batch.h"

namespace korder::ticket {
namespace {

bool OlderFirst(const PodPtr& a, const PodPtr& b) {
  const auto key = [](const PodPtr& pod) {
    return std::make_tuple(pod->metadata.creation_timestamp.value_or(absl::InfinitePast()),
                           std::string_view(pod->metadata.name));
  };
  return key(a) < key(b);
}

absl::Time Deadline(const Claimant& claimant, const ClaimsObserved& observed) {
  if (claimant.request.fallback != api::ClaimFallback::kSchedule) {
    return absl::InfiniteFuture();
  }
  const absl::Time due = claimant.pod->metadata.creation_timestamp.value_or(absl::InfinitePast()) +
                         claimant.request.timeout;
  const auto waited = observed.waited.find(claimant.pod->metadata.uid);
  return waited == observed.waited.end()
             ? due
             : std::min(due, observed.now + claimant.request.timeout - waited->second);
}

// One pass over the waiting pods.
class Pass {
 public:
  explicit Pass(const ClaimsObserved& observed) : observed_(observed) {
    for (const Room& room : observed.rooms) {
      (observed.busy_nodes.contains(room.ticket->status.node_name) ? busy_ : free_)
          .push_back(&room);
    }
  }

  void Serve(const Claimant& claimant) {
    if (const Room* room = BestRoom(claimant, free_, observed_.now)) {
      Assign(claimant, *room);
    } else {
      LetWait(claimant);
    }
  }
  ClaimsPlan Take() { return std::move(plan_); }
  ClaimsPlan& plan() { return plan_; }

 private:
  void Assign(const Claimant& claimant, const Room& room) {
    const std::string& node = room.ticket->status.node_name;
    plan_.assignments.push_back({room.ticket, claimant.pod, room.guardian->metadata.uid, node});
    std::erase(free_, &room);
    if (++assigned_[node] < kMaxBatch) {
      return;
    }
    // The rest of the node's tickets are for a later pass.
    const auto rest = std::stable_partition(free_.begin(), free_.end(), [&](const Room* other) {
      return other->ticket->status.node_name != node;
    });
    busy_.insert(busy_.end(), rest, free_.end());
    free_.erase(rest, free_.end());
  }

  void LookAgainAt(absl::Time when) {
    if (when != absl::InfiniteFuture()) {
      const absl::Duration left = when - observed_.now;
      plan_.requeue_after = std::min(plan_.requeue_after.value_or(left), left);
    }
  }

  void LetWait(const Claimant& claimant) {
    const absl::Time deadline = Deadline(claimant, observed_);
    if (deadline <= observed_.now) {
      plan_.fallbacks.push_back({claimant.pod, WhyNone(claimant)});
      return;
    }
    LookAgainAt(deadline);
    LookAgainAt(
        OpensNext(claimant, observed_.rooms, observed_.now).value_or(absl::InfiniteFuture()));
    if (const Room* later = BestRoom(claimant, busy_, observed_.now)) {
      const std::string& node = later->ticket->status.node_name;
      plan_.wanted_nodes.insert(node);
      plan_.waiting.push_back(
          {.pod = claimant.pod,
           .why = absl::StrCat("its turn on node ", node, " comes after another pod's"),
           .soon = true});
    } else {
      plan_.waiting.push_back({claimant.pod, WhyNone(claimant)});
    }
  }

  std::string WhyNone(const Claimant& claimant) const {
    return BestRoom(claimant, observed_.rooms, observed_.now) != nullptr
               ? "every ticket that fits goes to a pod that has waited longer"
               : Explain(claimant, observed_.rooms, observed_.now);
  }

  const ClaimsObserved& observed_;
  RoomRefs free_;  // of those observed
  RoomRefs busy_;
  std::map<std::string, int> assigned_;  // by node
  ClaimsPlan plan_;
};

}  // namespace

bool IsWaiting(const api::Pod& pod) {
  return api::HasGate(pod, api::kGateClaim) && !pod.metadata.deleting() && !api::IsBound(pod) &&
         api::ValueOf(pod.metadata.labels, api::kLabelClaim) == api::kClaimPending;
}

std::string_view HandoffMark(const api::Pod& pod) {
  const std::string_view mark = api::ValueOf(pod.metadata.annotations, api::kAnnotationHandoff);
  // A later nomination adds a counter, so that the pod changes.
  return mark.substr(0, mark.find('+'));
}

ClaimsPlan DecideClaims(const ClaimsObserved& observed) {
  std::vector<PodPtr> waiting;
  for (const PodPtr& pod : observed.pods) {
    if (IsWaiting(*pod) && !observed.handoff_pods.contains(pod->metadata.uid)) {
      waiting.push_back(pod);
    }
  }
  std::sort(waiting.begin(), waiting.end(), OlderFirst);
  Pass pass(observed);
  for (const PodPtr& pod : waiting) {
    if (!HandoffMark(*pod).empty()) {
      pass.plan().stale_marks.push_back(pod);
    } else {
      pass.Serve(MakeClaimant(pod, observed.rules));
    }
  }
  return pass.Take();
}

}  // namespace korder::ticket
