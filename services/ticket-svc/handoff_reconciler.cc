#include "ticket-svc/handoff_reconciler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/status_macros.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/handoff_batch.h"
#include "ticket-svc/handoff_method.h"
#include "ticket-svc/keys.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// More steps in a row mean that somebody undoes what we do: let others have a turn.
constexpr int kMaxSteps = 24;
constexpr absl::Duration kPause = absl::Milliseconds(100);
// Until a guardian that the scheduler has not looked at counts as stuck.
constexpr absl::Duration kSeekingPatience = absl::Seconds(1);
// Tickets on the node are being promised at this moment.
constexpr absl::Duration kLockedLook = absl::Milliseconds(5);

kube::ObjectKey PodKey(const GuardedTicket& ticket) {
  return ParseKey(ticket.status.claimed_pod());
}

// The object unless it is another one of the same name.
template <class Ptr>
Ptr IfUid(const Ptr& pod, const std::string& uid) {
  return pod && pod->metadata.uid == uid ? pod : nullptr;
}

// Null when the server has none.
template <class T>
absl::StatusOr<std::shared_ptr<const T>> Find(kube::Client& client, const kube::ObjectKey& key,
                                              std::stop_token stop) {
  absl::StatusOr<T> object = client.Get<T>(key, {.stop = std::move(stop)});
  if (absl::IsNotFound(object.status())) {
    return std::shared_ptr<const T>();
  }
  RETURN_IF_ERROR(object.status());
  return std::make_shared<const T>(*std::move(object));
}

constexpr size_t kMostThreads = 8;

// As many threads as there is work, up to a limit; a handoff alone needs no other thread.
template <class Fn>
absl::Status ForEach(size_t count, Fn fn) {
  std::vector<absl::Status> statuses(count);
  ParallelFor(count, kMostThreads, [&](size_t i) { statuses[i] = fn(i); });
  for (const absl::Status& status : statuses) {
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

bool SameActs(std::span<const HandoffMove> some, std::span<const HandoffMove> others) {
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [](const HandoffMove& a, const HandoffMove& b) { return a.act == b.act; });
}

// The guardian will not find room by itself, or not soon enough for the handoff.
bool IsStuck(const OwnPod& guardian, absl::Duration age) {
  return guardian.unschedulable || age > kSeekingPatience;
}

// Another pod, of no handoff here, would take the room before `pod` does or be counted beside it.
bool IsContested(const std::string& node, const PodPtr& pod, const std::set<std::string>& ours,
                 std::span<const api::Pod> nominated) {
  return pod && std::any_of(nominated.begin(), nominated.end(), [&](const api::Pod& other) {
           return other.status.nominated_node_name == node && !api::IsBound(other) &&
                  !other.metadata.deleting() && !api::IsTerminal(other) &&
                  !ours.contains(other.metadata.uid) &&
                  other.spec.priority.value_or(0) >= pod->spec.priority.value_or(0);
         });
}

}  // namespace

HandoffReconciler::HandoffReconciler(Parts parts, HandoffOptions options,
                                     std::function<void(const std::string&)> freed)
    : parts_(parts),
      options_(options),
      method_(MethodOf(options.method)),
      freed_(std::move(freed)) {}

void HandoffReconciler::ForgetAll() {
  const MutexLock lock(mu_);
  memory_.clear();
}

absl::StatusOr<kube::Result> HandoffReconciler::Reconcile(const kube::ObjectKey& key,
                                                          std::stop_token stop) {
  const std::string& node = key.name;
  const NodeLock lock(parts_.locks, node);
  if (!lock.taken()) {
    return kube::Result::After(kLockedLook);
  }
  std::vector<Scene> scenes = Look(node);
  for (int i = 0; i < kMaxSteps; ++i) {
    if (stop.stop_requested()) {
      return CancelledError("handoff interrupted");
    }
    if (scenes.empty()) {
      freed_(node);
      return kube::Result::Done();
    }
    const std::vector<HandoffMove> moves = Decide(scenes, kSchedulerPatience);
    if (AskFences(scenes, moves)) {
      continue;
    }
    ASSIGN_OR_RETURN(const bool moved, Advance(scenes, moves, stop));
    std::erase_if(scenes, [](const Scene& scene) { return scene.over; });
    if (!moved) {
      absl::Duration wait = kLookAgain;
      for (const HandoffMove& move : moves) {
        wait = std::min(wait, move.wait);
      }
      return kube::Result::After(wait);
    }
  }
  return kube::Result::After(kPause);
}

std::vector<HandoffReconciler::Scene> HandoffReconciler::Look(const std::string& node) const {
  std::vector<Scene> scenes;
  for (TicketPtr& ticket : parts_.world.Handoffs()) {
    const api::TicketHandoff& handoff = *ticket->status.handoff;
    if (handoff.node != node) {
      continue;
    }
    PodPtr pod = IfUid(parts_.world.ClaimPod(PodKey(*ticket)), handoff.pod_uid);
    OwnPodPtr guardian = IfUid(parts_.world.Guardian(GuardianKey(*ticket)), handoff.guardian_uid);
    scenes.push_back(
        {.ticket = std::move(ticket), .pod = std::move(pod), .guardian = std::move(guardian)});
  }
  return scenes;
}

absl::Status HandoffReconciler::Refresh(Scene& scene, std::stop_token stop) {
  const std::string id = scene.ticket->status.handoff->id;
  kube::Client& client = parts_.client;
  ASSIGN_OR_RETURN(const TicketPtr ticket,
                   Find<GuardedTicket>(client, kube::KeyOf(*scene.ticket), stop));
  if (ticket) {
    parts_.world.Wrote(*ticket);
  }
  if (!ticket || !ticket->status.handoff || ticket->status.handoff->id != id) {
    scene.over = true;
    return absl::OkStatus();
  }
  const api::TicketHandoff& handoff = *ticket->status.handoff;
  ASSIGN_OR_RETURN(const PodPtr pod, Find<api::Pod>(client, PodKey(*ticket), stop));
  ASSIGN_OR_RETURN(const OwnPodPtr guardian, Find<OwnPod>(client, GuardianKey(*ticket), stop));
  ASSIGN_OR_RETURN(const NodePtr node, Find<api::Node>(client, {"", handoff.node}, stop));
  scene = {.ticket = ticket,
           .pod = IfUid(pod, handoff.pod_uid),
           .guardian = IfUid(guardian, handoff.guardian_uid),
           .node = node,
           .live = true};
  return absl::OkStatus();
}

absl::Duration HandoffReconciler::AgeOf(const api::TicketHandoff& handoff) {
  const MonoTime now = parts_.clock.Mono();
  const MutexLock lock(mu_);
  Memory& memory = memory_[handoff.id];
  if (!memory.since) {
    memory.since = now;
  }
  return ticket::AgeOf(handoff, parts_.clock.Now(), absl::FromChrono(now - *memory.since));
}

HandoffView HandoffReconciler::View(Scene& scene, absl::Duration patience) {
  const api::TicketHandoff& handoff = *scene.ticket->status.handoff;
  if (!scene.live) {
    // It may have gone meanwhile: a pod whose gate is still shut can get another ticket.
    scene.node = parts_.world.Node(handoff.node);
  }
  HandoffView view{.record = handoff,
                   .method = method_,
                   .pod = scene.pod.get(),
                   .guardian = scene.guardian.get(),
                   .node = scene.node.get(),
                   .contested = scene.contested,
                   .settle = options_.settle,
                   .age = AgeOf(handoff)};
  const std::optional<absl::Time> end = WindowEnd(*scene.ticket);
  view.window_over = end && *end <= parts_.clock.Now();
  for (const OwnPodPtr& rival : Rivals(scene)) {
    ++(IsStuck(*rival, view.age) ? view.stuck_guardians : view.seeking_guardians);
  }
  const MonoTime now = parts_.clock.Mono();
  const MutexLock lock(mu_);
  Memory& memory = memory_[handoff.id];
  if (!memory.began) {
    memory.began = parts_.traffic.Moment();
  }
  view.seeking_guardians += parts_.traffic.AllMadeBefore(*memory.began) ? 0 : 1;
  if (scene.guardian) {
    memory.saw_guardian = true;
  } else if (memory.saw_guardian && !memory.gone_since) {
    memory.gone_since = now;
  }
  // A guardian that went before this process began has been gone for long enough.
  if (memory.gone_since) {
    view.gone_for = absl::FromChrono(now - *memory.gone_since);
  }
  if (memory.renominated) {
    view.renominated_ago = absl::FromChrono(now - *memory.renominated);
  }
  if (scene.pod && method_.nominates()) {
    const std::string& scheduler = scene.pod->spec.scheduler_name;
    view.maybe_forgotten = memory.marked_at != Doubts(scheduler);
    view.needs_fence = parts_.pulse.Silent(scheduler, patience) ||
                       (NeedsFence(options_, parts_.disturbance.Ago()) &&
                        !(memory.fence && parts_.fences.Passed(scheduler, *memory.fence)));
  }
  return view;
}

uint64_t HandoffReconciler::Doubts(const std::string& scheduler) const {
  return parts_.disturbance.Count() + parts_.pulse.Revivals(scheduler);
}

std::vector<OwnPodPtr> HandoffReconciler::Rivals(const Scene& scene) const {
  std::vector<OwnPodPtr> rivals;
  if (!scene.guardian || !scene.pod || !scene.node || !method_.nominates()) {
    return rivals;
  }
  for (OwnPodPtr& guardian : parts_.world.UnplacedGuardians()) {
    if (MightTake(*guardian, *scene.pod, *scene.node)) {
      rivals.push_back(std::move(guardian));
    }
  }
  return rivals;
}

std::vector<HandoffMove> HandoffReconciler::Decide(std::span<Scene> scenes,
                                                   absl::Duration patience) {
  std::vector<HandoffView> views;
  views.reserve(scenes.size());
  for (Scene& scene : scenes) {
    views.push_back(View(scene, patience));
  }
  return DecideBatch(views);
}

bool HandoffReconciler::AskFences(std::span<const Scene> scenes,
                                  std::span<const HandoffMove> moves) {
  bool passed = false;
  for (size_t i = 0; i < scenes.size(); ++i) {
    if (moves[i].act != HandoffAct::kFence) {
      continue;
    }
    const std::string& scheduler = scenes[i].pod->spec.scheduler_name;
    const MutexLock lock(mu_);
    std::optional<Fences::Token>& token = memory_[scenes[i].ticket->status.handoff->id].fence;
    // An answer from before the scheduler fell silent is none.
    if (!token || (parts_.pulse.Silent(scheduler) && parts_.fences.Passed(scheduler, *token))) {
      token = parts_.fences.Ask(scheduler);
    }
    passed = passed || parts_.fences.Passed(scheduler, *token);
  }
  return passed;
}

absl::StatusOr<bool> HandoffReconciler::Advance(std::vector<Scene>& scenes,
                                                std::span<const HandoffMove> moves,
                                                std::stop_token stop) {
  std::vector<size_t> todo;
  std::vector<Scene*> to_release;
  for (size_t i = 0; i < scenes.size(); ++i) {
    if (moves[i].act != HandoffAct::kWait && moves[i].act != HandoffAct::kFence) {
      todo.push_back(i);
    }
    if (moves[i].act == HandoffAct::kRelease) {
      to_release.push_back(&scenes[i]);
    }
  }
  if (!to_release.empty()) {
    RETURN_IF_ERROR(LookOnceMore(scenes, to_release, stop));
    // For all at once: a guardian that stays would keep the gates of the others shut.
    if (!SameActs(Decide(scenes, kSchedulerLastPatience), moves)) {
      return true;
    }
  }
  const absl::Status stepped = ForEach(todo.size(), [&](size_t k) -> absl::Status {
    Scene& scene = scenes[todo[k]];
    const HandoffMove& move = moves[todo[k]];
    const Scene before = scene;
    const bool hasty = GivesUp(move.act) && !scene.live;
    const absl::Status done =
        hasty ? AbortedError("given up on stale knowledge") : Perform(move, scene, stop);
    if (absl::IsAborted(done) || absl::IsNotFound(done)) {
      return Refresh(scene, stop);
    }
    RETURN_IF_ERROR(done);
    if (move.act == HandoffAct::kClaimed || GivesUp(move.act)) {
      scene.over = true;
      Ended(move, before);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(stepped);
  return !todo.empty();
}

absl::Status HandoffReconciler::LookOnceMore(std::span<const Scene> scenes,
                                             std::span<Scene*> to_release, std::stop_token stop) {
  const std::string& node = scenes[0].ticket->status.handoff->node;
  std::set<std::string> ours;
  for (const Scene& scene : scenes) {
    ours.insert(scene.ticket->status.handoff->pod_uid);
  }
  std::vector<api::Pod> nominated;
  // The last one is about the node, the others about one pod each.
  const absl::Status looked = ForEach(to_release.size() + 1, [&](size_t i) -> absl::Status {
    if (i == to_release.size()) {
      if (!method_.nominates()) {
        return absl::OkStatus();
      }
      // The server's cache will do: it is as fresh as what the scheduler has seen.
      ASSIGN_OR_RETURN(
          auto list,
          parts_.client.List<api::Pod>(
              "", {.field_selector = "status.nominatedNodeName=" + node, .resource_version = "0"},
              {.stop = stop}));
      nominated = std::move(list.items);
      return absl::OkStatus();
    }
    Scene& scene = *to_release[i];
    ASSIGN_OR_RETURN(const PodPtr pod,
                     Find<api::Pod>(parts_.client, kube::KeyOf(*scene.pod), stop));
    scene.pod = IfUid(pod, scene.ticket->status.handoff->pod_uid);
    if (scene.pod) {
      parts_.world.Wrote(*scene.pod);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(looked);
  for (Scene* scene : to_release) {
    scene->contested = IsContested(node, scene->pod, ours, nominated);
  }
  return absl::OkStatus();
}

absl::Status HandoffReconciler::Perform(const HandoffMove& move, Scene& scene,
                                        std::stop_token stop) {
  switch (move.act) {
    case HandoffAct::kClear:
      return Clear(scene, std::move(stop));
    case HandoffAct::kMark:
      return Mark(scene, std::move(stop));
    case HandoffAct::kRelease:
      return Release(scene, std::move(stop));
    case HandoffAct::kUngate:
      return Ungate(scene, std::move(stop));
    case HandoffAct::kClaimed:
      return Claimed(scene, std::move(stop));
    case HandoffAct::kAbort:
    case HandoffAct::kMissed:
    case HandoffAct::kLost:
      return GiveUp(move, scene, std::move(stop));
    case HandoffAct::kFence:
    case HandoffAct::kWait:
      break;
  }
  return absl::OkStatus();
}

absl::Status HandoffReconciler::Clear(const Scene& scene, std::stop_token stop) {
  const api::TicketHandoff& handoff = *scene.ticket->status.handoff;
  std::vector<OwnPodPtr> stuck = Rivals(scene);
  const absl::Duration age = AgeOf(handoff);
  std::erase_if(stuck, [age](const OwnPodPtr& rival) { return !IsStuck(*rival, age); });
  return ForEach(stuck.size(), [&](size_t i) -> absl::Status {
    const OwnPod::Metadata& meta = stuck[i]->metadata;
    const kube::ObjectKey key = kube::KeyOf(*stuck[i]);
    if (!parts_.traffic.BeginClearing(meta.uid)) {
      return absl::OkStatus();  // Another node's handoff is at it.
    }
    const absl::Cleanup cleared = [&] { parts_.traffic.Cleared(meta.uid); };
    const absl::Status gone = parts_.client.Delete<api::Pod>(
        key,
        {.uid = meta.uid, .resource_version = meta.resource_version, .grace_period_seconds = 0},
        {.stop = stop});
    if (absl::IsAborted(gone)) {
      // It has changed: it may have found room.
      ASSIGN_OR_RETURN(const OwnPodPtr now, Find<OwnPod>(parts_.client, key, stop));
      if (now) {
        parts_.world.Wrote(*now);
        return absl::OkStatus();
      }
    } else if (!gone.ok() && !absl::IsNotFound(gone)) {
      return gone;
    }
    parts_.world.DeletedGuardian(key, meta.uid);
    if (const TicketPtr ticket = parts_.world.Ticket({meta.ns, stuck[i]->owner.ticket})) {
      parts_.traffic.SteppedAside(LineOf(*ticket));
    }
    return absl::OkStatus();
  });
}

absl::Status HandoffReconciler::Mark(Scene& scene, std::stop_token stop) {
  {
    const MutexLock lock(mu_);
    Memory& memory = memory_[scene.ticket->status.handoff->id];
    memory.marked_at = Doubts(scene.pod->spec.scheduler_name);
    // An earlier answer of the scheduler says nothing about this nomination.
    memory.fence.reset();
    if (!api::HasGate(*scene.pod, api::kGateClaim)) {
      memory.renominated = parts_.clock.Mono();
    }
  }
  return PatchPod(method_.nominates() ? NominatePatch(*scene.pod, *scene.ticket)
                                      : MarkPatch(*scene.pod, *scene.ticket),
                  scene, std::move(stop));
}

absl::Status HandoffReconciler::Release(Scene& scene, std::stop_token stop) {
  const OwnPod::Metadata& guardian = scene.guardian->metadata;
  const absl::Status gone =
      parts_.client.Delete<api::Pod>(kube::KeyOf(*scene.guardian),
                                     {.uid = guardian.uid,
                                      .resource_version = guardian.resource_version,
                                      .grace_period_seconds = 0},
                                     {.stop = std::move(stop)});
  if (!gone.ok() && !absl::IsNotFound(gone)) {
    return gone;
  }
  parts_.world.DeletedGuardian(kube::KeyOf(*scene.guardian), guardian.uid);
  parts_.events.Normal(kube::RefTo(*scene.ticket), api::kEventGuardianReleased,
                       absl::StrCat("guardian ", guardian.name, " made room on node ",
                                    scene.guardian->node_name.str(), " for pod ",
                                    scene.ticket->status.claimed_pod()));
  scene.guardian = nullptr;
  return absl::OkStatus();
}

absl::Status HandoffReconciler::Ungate(Scene& scene, std::stop_token stop) {
  const bool pin =
      method_.always_pins() ||
      api::ParseClaimRequest(scene.pod->metadata).request.mode == api::ClaimMode::kRequired;
  const std::string scheduler = scene.pod->spec.scheduler_name;
  const std::string uid = scene.pod->metadata.uid;
  parts_.pulse.Owes(scheduler, uid);
  absl::Status done = PatchPod(UngatePatch(*scene.pod, *scene.ticket, pin), scene, stop);
  if (pin && !method_.always_pins() && absl::IsInvalidArgument(done)) {
    // The room is free already: better unpinned than not at all.
    parts_.events.Warning(
        kube::RefTo(*scene.pod), api::kEventHandoffFailed,
        absl::StrCat("cannot be pinned to node ", scene.ticket->status.handoff->node, ": ",
                     std::string(Message(done))));
    done = PatchPod(UngatePatch(*scene.pod, *scene.ticket, false), scene, std::move(stop));
  }
  if (!done.ok()) {
    parts_.pulse.Forgive(scheduler, uid);
  }
  return done;
}

absl::Status HandoffReconciler::Claimed(Scene& scene, std::stop_token stop) {
  return WriteStatus(scene, ClaimedStatus(*scene.ticket, *scene.pod, parts_.clock.Now()),
                     std::move(stop));
}

absl::Status HandoffReconciler::GiveUp(const HandoffMove& move, Scene& scene,
                                       std::stop_token stop) {
  // The pod first: while the ticket has the handoff, somebody will come back to it.
  if (const absl::Status told = TellPod(move, scene, stop); !absl::IsNotFound(told)) {
    RETURN_IF_ERROR(told);
  }
  const GuardedTicket& ticket = *scene.ticket;
  if (move.act == HandoffAct::kAbort && move.reason != HandoffReason::kGuardianLost) {
    return WriteStatus(scene, ReturnedStatus(ticket, parts_.clock.Now()), std::move(stop));
  }
  const std::string why = absl::StrCat(
      "the room on node ", ticket.status.handoff->node, " was lost while it passed to pod ",
      ticket.status.claimed_pod(), ": ", std::string(api::Name(move.reason)));
  return WriteStatus(scene, LostStatus(ticket, why, parts_.clock.Now()), std::move(stop));
}

absl::Status HandoffReconciler::TellPod(const HandoffMove& move, const Scene& scene,
                                        std::stop_token stop) {
  if (!scene.pod || scene.pod->metadata.deleting()) {
    return absl::OkStatus();
  }
  const api::Pod& pod = *scene.pod;
  std::optional<PodPatch> patch;
  if (IsWaiting(pod)) {
    if (HandoffMark(pod) == scene.ticket->status.handoff->id) {
      patch = ResetPatch(pod);
    }
  } else if (move.act != HandoffAct::kAbort && !api::IsTerminal(pod)) {
    patch = LostPatch(pod);
  }
  if (!patch) {
    return absl::OkStatus();
  }
  Scene copy = scene;
  return PatchPod(*patch, copy, std::move(stop));
}

absl::Status HandoffReconciler::WriteStatus(Scene& scene, api::TicketStatus status,
                                            std::stop_token stop) {
  ASSIGN_OR_RETURN(api::Ticket written,
                   parts_.client.UpdateStatus(WithStatus(*scene.ticket, std::move(status)),
                                              {.stop = std::move(stop)}));
  scene.ticket = parts_.world.Wrote(Reduced(std::move(written)));
  return absl::OkStatus();
}

absl::Status HandoffReconciler::PatchPod(const PodPatch& patch, Scene& scene,
                                         std::stop_token stop) {
  ASSIGN_OR_RETURN(api::Pod patched,
                   parts_.client.Patch<api::Pod>(kube::KeyOf(*scene.pod), patch.options, patch.body,
                                                 {.stop = std::move(stop)}));
  scene.pod = parts_.world.Wrote(std::move(patched));
  return absl::OkStatus();
}

void HandoffReconciler::Ended(const HandoffMove& move, const Scene& before) {
  const GuardedTicket& ticket = *before.ticket;
  const api::TicketHandoff& handoff = *ticket.status.handoff;
  {
    const MutexLock lock(mu_);
    memory_.erase(handoff.id);
  }
  const absl::Time now = parts_.clock.Now();
  const absl::Duration took =
      std::max(now - handoff.started_at.value_or(now), absl::ZeroDuration());
  parts_.metrics.HandoffEnded(move.act, move.reason, took);
  const std::string reason(api::Name(move.reason));
  log::Info("handoff ended", {{"ns", ticket.metadata.ns.str()},
                              {"ticket", ticket.metadata.name},
                              {"pod", ticket.status.claimed_pod()},
                              {"node", handoff.node},
                              {"claimed", move.act == HandoffAct::kClaimed},
                              {"reason", reason},
                              {"took_ms", absl::ToInt64Milliseconds(took)}});
  const api::ObjectReference about = kube::RefTo(ticket);
  if (move.act == HandoffAct::kClaimed) {
    parts_.events.Normal(
        about, api::kEventTicketClaimed,
        absl::StrCat("pod ", ticket.status.claimed_pod(), " has the room on node ", handoff.node));
    parts_.events.Normal(
        kube::RefTo(*before.pod), api::kEventTicketClaimed,
        absl::StrCat("has the room of ticket ", ticket.metadata.name, " on node ", handoff.node));
    return;
  }
  parts_.events.Warning(about, api::kEventHandoffFailed,
                        absl::StrCat("to pod ", ticket.status.claimed_pod(), ": ", reason));
  if (before.pod && move.act != HandoffAct::kAbort) {
    parts_.events.Warning(kube::RefTo(*before.pod), api::kEventTicketLost,
                          absl::StrCat("did not get the room of ticket ", ticket.metadata.name,
                                       " on node ", handoff.node, ": ", reason));
  }
}

}  // namespace korder::ticket
