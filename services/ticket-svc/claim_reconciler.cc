#include "ticket-svc/claim_reconciler.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "ticket-svc/pod_patches.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// How long a promise counts that the watch does not confirm.
constexpr absl::Duration kPromise = absl::Seconds(2);
constexpr size_t kMaxAnnounced = 10'000;

std::string NewHandoffId() {
  thread_local std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
}

// Somebody else was faster, or the object is gone: the next pass sees it.
absl::Status Tolerate(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace

std::vector<Room> RoomsIn(const World& world, const std::string& ns) {
  std::vector<Room> rooms;
  for (const TicketPtr& ticket : world.TicketsIn(ns)) {
    const api::TicketStatus& status = ticket->status;
    if (status.phase != api::TicketPhase::kReady || status.handoff || ticket->metadata.deleting()) {
      continue;
    }
    const std::string name = status.guardian_pod.substr(status.guardian_pod.find('/') + 1);
    PodPtr guardian = world.guardians.store().Get({ns, name});
    const api::OwnerReference* owner = guardian ? api::ControllerOf(guardian->metadata) : nullptr;
    if (owner != nullptr && owner->uid == ticket->metadata.uid) {
      rooms.push_back(MakeRoom(ticket, guardian, world.Node(status.node_name)));
    }
  }
  return rooms;
}

ClaimReconciler::ClaimReconciler(kube::Client& client, const World& world,
                                 kube::EventRecorder& events, const Clock& clock,
                                 absl::Duration default_timeout)
    : client_(client),
      world_(world),
      events_(events),
      clock_(clock),
      default_timeout_(default_timeout) {}

ClaimsObserved ClaimReconciler::Observe(const std::string& ns) {
  ClaimsObserved observed{.pods = world_.ClaimPodsIn(ns),
                          .rooms = RoomsIn(world_, ns),
                          .default_timeout = default_timeout_,
                          .now = clock_.Now()};
  for (const TicketPtr& ticket : world_.Handoffs()) {
    observed.handoff_pods.insert(ticket->status.handoff->pod_uid);
    observed.busy_nodes.insert(ticket->status.handoff->node);
  }
  const MutexLock lock(mu_);
  const MonoTime now = clock_.Mono();
  absl::erase_if(promised_, [&](const auto& entry) {
    return absl::FromChrono(now - entry.second) > kPromise ||
           observed.busy_nodes.contains(entry.first);
  });
  for (const auto& [node, since] : promised_) {
    observed.busy_nodes.insert(node);
  }
  return observed;
}

absl::StatusOr<kube::Result> ClaimReconciler::Reconcile(const kube::ObjectKey& key,
                                                        std::stop_token stop) {
  const ClaimsPlan plan = DecideClaims(Observe(key.name));
  for (const PodPtr& pod : plan.stale_marks) {
    RETURN_IF_ERROR(ClearMark(*pod, stop));
  }
  for (const Assignment& assignment : plan.assignments) {
    RETURN_IF_ERROR(Assign(assignment, stop));
  }
  for (const Waiter& waiter : plan.fallbacks) {
    RETURN_IF_ERROR(Fallback(waiter, stop));
  }
  Announce(plan.waiting);
  {
    const MutexLock lock(mu_);
    for (const std::string& node : plan.wanted_nodes) {
      waiting_[node].insert(key.name);
    }
  }
  std::optional<absl::Duration> again = plan.requeue_after;
  if (!plan.wanted_nodes.empty()) {
    // The end of a handoff wakes us; this is for one whose end was not seen.
    again = std::min(again.value_or(kPromise), kPromise);
  }
  return kube::Result::From(again);
}

absl::Status ClaimReconciler::Assign(const Assignment& assignment, std::stop_token stop) {
  if (!Lock(assignment.node)) {
    return absl::OkStatus();
  }
  api::Ticket ticket = *assignment.ticket;
  ticket.status = AssignedStatus(ticket, *assignment.pod,
                                 {.id = NewHandoffId(),
                                  .step = "Assigned",
                                  .pod_uid = assignment.pod->metadata.uid,
                                  .guardian_uid = assignment.guardian_uid,
                                  .node = assignment.node,
                                  .started_at = clock_.Now()});
  const absl::Status status = client_.Update(ticket, "status", {.stop = std::move(stop)}).status();
  if (absl::IsAborted(status) || absl::IsNotFound(status)) {
    Unlock(assignment.node);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(status);  // After an unknown outcome the promise stays until it lapses.
  events_.Normal(kube::RefTo(ticket), api::kEventHandoffStarted,
                 absl::StrCat("handing the room on node ", assignment.node, " to pod ",
                              assignment.pod->metadata.name));
  return absl::OkStatus();
}

absl::Status ClaimReconciler::Fallback(const Waiter& waiter, std::stop_token stop) {
  const api::Pod& pod = *waiter.pod;
  const absl::Status status =
      client_
          .Patch<api::Pod>(kube::KeyOf(pod), {.type = kube::PatchType::kStrategicMerge},
                           FallbackPatch(), {.stop = std::move(stop)})
          .status();
  if (status.ok()) {
    events_.Warning(kube::RefTo(pod), api::kEventTicketFallback,
                    absl::StrCat("no ticket in time, left to the scheduler: ", waiter.why));
  }
  return Tolerate(status);
}

absl::Status ClaimReconciler::ClearMark(const api::Pod& pod, std::stop_token stop) {
  return Tolerate(client_
                      .Patch<api::Pod>(kube::KeyOf(pod),
                                       {.type = kube::PatchType::kMerge, .subresource = "status"},
                                       ClearNominationPatch(pod), {.stop = std::move(stop)})
                      .status());
}

void ClaimReconciler::Announce(const std::vector<Waiter>& waiting) {
  std::vector<const Waiter*> news;
  {
    const MutexLock lock(mu_);
    if (announced_.size() > kMaxAnnounced) {
      announced_.clear();
    }
    for (const Waiter& waiter : waiting) {
      if (announced_.insert(waiter.pod->metadata.uid).second) {
        news.push_back(&waiter);
      }
    }
  }
  for (const Waiter* waiter : news) {
    events_.Normal(kube::RefTo(*waiter->pod), api::kEventWaitingForTicket, waiter->why);
  }
}

bool ClaimReconciler::Lock(const std::string& node) {
  const MutexLock lock(mu_);
  return promised_.emplace(node, clock_.Mono()).second;
}

void ClaimReconciler::Unlock(const std::string& node) {
  const MutexLock lock(mu_);
  promised_.erase(node);
}

std::set<std::string> ClaimReconciler::TakeWaitingFor(const std::string& node) {
  const MutexLock lock(mu_);
  const auto it = waiting_.find(node);
  if (it == waiting_.end()) {
    return {};
  }
  std::set<std::string> namespaces = std::move(it->second);
  waiting_.erase(it);
  return namespaces;
}

}  // namespace korder::ticket
