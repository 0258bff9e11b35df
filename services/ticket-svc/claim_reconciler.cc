#include "ticket-svc/claim_reconciler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "ticket-svc/handoff_patches.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

constexpr size_t kParallelNodes = 8;
// Somebody else was faster, or a node was taken at that very moment.
constexpr absl::Duration kSoon = absl::Milliseconds(20);
// A wake-up that was missed costs this much.
constexpr absl::Duration kBusyNodeLook = absl::Seconds(1);
constexpr char kAssigned[] = "Assigned";

std::string NewHandoffId() {
  return absl::StrCat(absl::Hex(RandomWord(), absl::kZeroPad8),
                      absl::Hex(RandomWord(), absl::kZeroPad8));
}

// Gone or changed: the watch will show it, and the pass that follows is about what is there then.
bool WasOvertaken(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsNotFound(status);
}

// No answer to a write came, or none that tells.
bool MayHaveHappened(const absl::Status& status) {
  return IsRetryable(status) && !WasOvertaken(status);
}

}  // namespace

ClaimReconciler::ClaimReconciler(Parts parts, ClaimRules rules,
                                 std::function<void(const std::string&)> promised)
    : parts_(parts), rules_(rules), promised_(std::move(promised)) {}

void ClaimReconciler::ForgetAll() {
  const MutexLock lock(mu_);
  unsure_.clear();
}

std::set<std::string> ClaimReconciler::BusyNodes() const {
  std::set<std::string> nodes;
  for (const TicketPtr& ticket : parts_.world.Handoffs()) {
    nodes.insert(ticket->status.handoff->node);
  }
  return nodes;
}

std::map<std::string, absl::Duration> ClaimReconciler::Waited(const std::string& ns,
                                                              const std::vector<PodPtr>& pods) {
  const MonoTime now = parts_.clock.Mono();
  std::map<std::string, MonoTime> since;
  std::map<std::string, absl::Duration> waited;
  const MutexLock lock(mu_);
  std::map<std::string, MonoTime>& known = waiting_since_[ns];
  for (const PodPtr& pod : pods) {
    if (IsWaiting(*pod)) {
      const auto it = known.find(pod->metadata.uid);
      const MonoTime begin = it == known.end() ? now : it->second;
      since.emplace(pod->metadata.uid, begin);
      waited.emplace(pod->metadata.uid, absl::FromChrono(now - begin));
    }
  }
  known = std::move(since);
  if (known.empty()) {
    waiting_since_.erase(ns);
  }
  return waited;
}

ClaimsObserved ClaimReconciler::Observe(const std::string& ns) {
  ClaimsObserved observed{.rules = rules_, .now = parts_.clock.Now()};
  if (parts_.world.HasWaiting(ns)) {
    observed.pods = parts_.world.ClaimPods(ns);
  }
  observed.waited = Waited(ns, observed.pods);
  if (observed.pods.empty()) {
    return observed;
  }
  observed.rooms = parts_.world.Rooms(ns);
  for (const TicketPtr& ticket : parts_.world.Handoffs()) {
    observed.busy_nodes.insert(ticket->status.handoff->node);
    observed.handoff_pods.insert(ticket->status.handoff->pod_uid);
  }
  return observed;
}

absl::StatusOr<kube::Result> ClaimReconciler::Reconcile(const kube::ObjectKey& key,
                                                        std::stop_token stop) {
  const std::string& ns = key.name;
  RETURN_IF_ERROR(SettleUnsure(ns, stop));
  const ClaimsPlan plan = DecideClaims(Observe(ns));
  ASSIGN_OR_RETURN(bool again, Promise(plan.assignments, stop));
  for (const Waiter& waiter : plan.fallbacks) {
    const absl::Status status = FallBack(waiter, stop);
    again = again || WasOvertaken(status);
    if (!WasOvertaken(status)) {
      RETURN_IF_ERROR(status);
    }
  }
  for (const PodPtr& pod : plan.stale_marks) {
    const absl::Status status = ClearMark(*pod, stop);
    again = true;
    if (!WasOvertaken(status)) {
      RETURN_IF_ERROR(status);
    }
  }
  Announce(ns, plan.waiting);

  std::optional<absl::Duration> next = plan.requeue_after;
  const auto no_later_than = [&next](absl::Duration delay) {
    next = std::min(next.value_or(delay), delay);
  };
  for (const std::string& node : plan.wanted_nodes) {
    parts_.locks.WaitFor(node, ns);
  }
  if (!plan.wanted_nodes.empty()) {
    // The handoff may have ended before we said that we wait for it.
    const std::set<std::string> busy = BusyNodes();
    const bool all_busy =
        std::includes(busy.begin(), busy.end(), plan.wanted_nodes.begin(), plan.wanted_nodes.end());
    no_later_than(all_busy ? kBusyNodeLook : kSoon);
  }
  if (again) {
    no_later_than(kSoon);
  }
  return kube::Result::From(next);
}

absl::StatusOr<bool> ClaimReconciler::Promise(const std::vector<Assignment>& assignments,
                                              std::stop_token stop) {
  std::map<std::string, std::vector<const Assignment*>> by_node;
  for (const Assignment& assignment : assignments) {
    by_node[assignment.node].push_back(&assignment);
  }
  std::vector<std::pair<std::string, std::vector<const Assignment*>>> batches(by_node.begin(),
                                                                              by_node.end());
  std::vector<absl::Status> promised(batches.size());
  ParallelFor(batches.size(), kParallelNodes, [&](size_t i) {
    promised[i] = PromiseOnNode(batches[i].first, batches[i].second, stop);
  });
  bool again = false;
  for (const absl::Status& status : promised) {
    again = again || WasOvertaken(status);
    if (!WasOvertaken(status)) {
      RETURN_IF_ERROR(status);
    }
  }
  return again;
}

absl::Status ClaimReconciler::PromiseOnNode(const std::string& node,
                                            std::span<const Assignment* const> batch,
                                            std::stop_token stop) {
  std::vector<absl::Status> promised(batch.size());
  {
    const NodeLock lock(parts_.locks, node);
    // Only now nobody else can start a handoff there: look again.
    if (!lock.taken() || BusyNodes().contains(node)) {
      return AbortedError("the node is busy");
    }
    ParallelFor(batch.size(), batch.size(),
                [&](size_t i) { promised[i] = PromiseOne(*batch[i], stop); });
  }
  promised_(node);
  for (const absl::Status& status : promised) {
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status ClaimReconciler::PromiseOne(const Assignment& assignment, std::stop_token stop) {
  const api::Pod& pod = *assignment.pod;
  const GuardedTicket& ticket = *assignment.ticket;
  PromisedTicket promise{
      .pod = assignment.pod,
      .ticket = WithStatus(ticket, AssignedStatus(ticket, pod,
                                                  {.id = NewHandoffId(),
                                                   .step = kAssigned,
                                                   .pod_uid = pod.metadata.uid,
                                                   .guardian_uid = assignment.guardian_uid,
                                                   .node = assignment.node,
                                                   .started_at = parts_.clock.Now()},
                                                  parts_.clock.Now()))};
  const absl::Status written = Write(promise, std::move(stop));
  if (MayHaveHappened(written)) {
    const MutexLock lock(mu_);
    unsure_[pod.metadata.ns].push_back(std::move(promise));
  }
  return written;
}

absl::Status ClaimReconciler::Write(const PromisedTicket& promise, std::stop_token stop) {
  ASSIGN_OR_RETURN(api::Ticket written,
                   parts_.client.UpdateStatus(promise.ticket, {.stop = std::move(stop)}));
  const TicketPtr ticket = parts_.world.Wrote(Reduced(std::move(written)));
  const api::Pod& pod = *promise.pod;
  const std::string& node = ticket->status.handoff->node;
  log::Info("ticket promised", {{"ns", pod.metadata.ns},
                                {"ticket", ticket->metadata.name},
                                {"pod", pod.metadata.name},
                                {"node", node}});
  parts_.events.Normal(
      kube::RefTo(*ticket), api::kEventHandoffStarted,
      absl::StrCat("the room on node ", node, " passes to pod ", pod.metadata.name));
  parts_.events.Normal(
      kube::RefTo(pod), api::kEventHandoffStarted,
      absl::StrCat("gets the room of ticket ", ticket->metadata.name, " on node ", node));
  return absl::OkStatus();
}

absl::Status ClaimReconciler::SettleUnsure(const std::string& ns, std::stop_token stop) {
  std::vector<PromisedTicket> unsure;
  {
    const MutexLock lock(mu_);
    if (const auto it = unsure_.find(ns); it != unsure_.end()) {
      unsure = it->second;
    }
  }
  for (const PromisedTicket& promise : unsure) {
    const absl::Status written = Write(promise, stop);
    if (absl::IsAborted(written)) {
      // It was written, by us or by somebody else, and our picture is older than that.
      absl::StatusOr<GuardedTicket> ticket =
          parts_.client.Get<GuardedTicket>(kube::KeyOf(promise.ticket), {.stop = stop});
      if (ticket.ok()) {
        parts_.world.Wrote(*std::move(ticket));
      } else if (!absl::IsNotFound(ticket.status())) {
        return ticket.status();
      }
    } else if (MayHaveHappened(written)) {
      return written;
    }
    promised_(promise.ticket.status.handoff->node);
    const MutexLock lock(mu_);
    std::vector<PromisedTicket>& left = unsure_[ns];
    std::erase_if(left, [&](const PromisedTicket& other) {
      return other.ticket.status.handoff->id == promise.ticket.status.handoff->id;
    });
    if (left.empty()) {
      unsure_.erase(ns);
    }
  }
  return absl::OkStatus();
}

absl::Status ClaimReconciler::FallBack(const Waiter& waiter, std::stop_token stop) {
  const api::Pod& pod = *waiter.pod;
  const PodPatch patch = FallbackPatch(pod);
  ASSIGN_OR_RETURN(api::Pod patched,
                   parts_.client.Patch<api::Pod>(kube::KeyOf(pod), patch.options, patch.body,
                                                 {.stop = std::move(stop)}));
  parts_.world.Wrote(std::move(patched));
  parts_.events.Normal(kube::RefTo(pod), api::kEventTicketFallback,
                       absl::StrCat("goes on without a ticket: ", waiter.why));
  return absl::OkStatus();
}

absl::Status ClaimReconciler::ClearMark(const api::Pod& pod, std::stop_token stop) {
  // The ticket is asked for anew: our picture of it may be older than the mark.
  const kube::ObjectKey key{
      pod.metadata.ns,
      std::string(api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimedTicket))};
  if (!key.name.empty()) {
    absl::StatusOr<GuardedTicket> ticket = parts_.client.Get<GuardedTicket>(key, {.stop = stop});
    if (ticket.ok()) {
      const auto& handoff = ticket->status.handoff;
      const bool alive = handoff && handoff->id == HandoffMark(pod);
      const std::string node = alive ? handoff->node : "";
      parts_.world.Wrote(*std::move(ticket));
      if (alive) {
        promised_(node);
        return absl::OkStatus();
      }
    } else if (!absl::IsNotFound(ticket.status())) {
      return ticket.status();
    }
  }
  const PodPatch patch = ResetPatch(pod);
  ASSIGN_OR_RETURN(api::Pod patched,
                   parts_.client.Patch<api::Pod>(kube::KeyOf(pod), patch.options, patch.body,
                                                 {.stop = std::move(stop)}));
  parts_.world.Wrote(std::move(patched));
  return absl::OkStatus();
}

void ClaimReconciler::Announce(const std::string& ns, const std::vector<Waiter>& waiting) {
  std::vector<const Waiter*> news;
  {
    const MutexLock lock(mu_);
    std::set<std::string> still;
    for (const Waiter& waiter : waiting) {
      const std::string& uid = waiter.pod->metadata.uid;
      const bool told = announced_[ns].contains(uid);
      if (!told && !waiter.soon) {
        news.push_back(&waiter);
      }
      if (told || !waiter.soon) {
        still.insert(uid);
      }
    }
    announced_[ns] = std::move(still);
    if (announced_[ns].empty()) {
      announced_.erase(ns);
    }
  }
  for (const Waiter* waiter : news) {
    parts_.events.Normal(kube::RefTo(*waiter->pod), api::kEventWaitingForTicket, waiter->why);
  }
}

}  // namespace korder::ticket
