#include "ticket-svc/handoff_driver.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/keys.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// More steps in a row mean that somebody undoes what we do: let others have a turn.
constexpr int kMaxSteps = 24;
constexpr absl::Duration kPause = absl::Milliseconds(100);

kube::ObjectKey PodKey(const api::Ticket& ticket) { return ParseKey(ticket.status.claimed_pod); }

kube::ObjectKey GuardianKey(const api::Ticket& ticket) {
  return ParseKey(ticket.status.guardian_pod);
}

// The object unless it is another one of the same name.
PodPtr IfUid(const PodPtr& pod, const std::string& uid) {
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

}  // namespace

HandoffDriver::HandoffDriver(kube::Client& client, World& world, kube::EventRecorder& events,
                             Metrics& metrics, const Clock& clock)
    : client_(client), world_(world), events_(events), metrics_(metrics), clock_(clock) {}

HandoffDriver::Scene HandoffDriver::Look(const TicketPtr& ticket) const {
  const api::TicketHandoff& handoff = *ticket->status.handoff;
  return {.ticket = ticket,
          .pod = IfUid(world_.ClaimPod(PodKey(*ticket)), handoff.pod_uid),
          .guardian = IfUid(world_.Guardian(GuardianKey(*ticket)), handoff.guardian_uid),
          .node = world_.Node(handoff.node)};
}

absl::StatusOr<bool> HandoffDriver::Refresh(Scene& scene, std::stop_token stop) {
  const std::string id = scene.ticket->status.handoff->id;
  ASSIGN_OR_RETURN(const TicketPtr ticket,
                   Find<api::Ticket>(client_, kube::KeyOf(*scene.ticket), stop));
  if (!ticket) {
    return false;
  }
  world_.Wrote(*ticket);
  if (!ticket->status.handoff || ticket->status.handoff->id != id) {
    return false;
  }
  const api::TicketHandoff& handoff = *ticket->status.handoff;
  ASSIGN_OR_RETURN(const PodPtr pod, Find<api::Pod>(client_, PodKey(*ticket), stop));
  ASSIGN_OR_RETURN(const PodPtr guardian, Find<api::Pod>(client_, GuardianKey(*ticket), stop));
  ASSIGN_OR_RETURN(const NodePtr node, Find<api::Node>(client_, {"", handoff.node}, stop));
  scene = {.ticket = ticket,
           .pod = IfUid(pod, handoff.pod_uid),
           .guardian = IfUid(guardian, handoff.guardian_uid),
           .node = node,
           .live = true};
  return true;
}

HandoffMove HandoffDriver::Step(const Scene& scene) {
  const api::TicketHandoff& handoff = *scene.ticket->status.handoff;
  absl::Duration gone_for = absl::InfiniteDuration();
  if (options_.settle > absl::ZeroDuration() && !scene.guardian) {
    const MonoTime now = clock_.Mono();
    const MutexLock lock(mu_);
    gone_for = absl::FromChrono(now - gone_since_.try_emplace(handoff.id, now).first->second);
  }
  const absl::Time now = clock_.Now();
  const std::optional<absl::Time> end = WindowEnd(*scene.ticket);
  return HandoffStep({.record = handoff,
                      .pod = scene.pod.get(),
                      .guardian = scene.guardian.get(),
                      .node = scene.node.get(),
                      .window_over = end && *end <= now,
                      .settle = options_.settle,
                      .gone_for = gone_for,
                      .now = now});
}

absl::StatusOr<std::optional<absl::Duration>> HandoffDriver::Drive(const TicketPtr& ticket,
                                                                   std::stop_token stop) {
  Scene scene = Look(ticket);
  for (int i = 0; i < kMaxSteps; ++i) {
    if (stop.stop_requested()) {
      return CancelledError("handoff interrupted");
    }
    const HandoffMove move = Step(scene);
    if (move.act == HandoffAct::kWait) {
      return std::optional(move.wait);
    }
    const Scene before = scene;
    const bool hasty = GivesUp(move.act) && !scene.live;
    const absl::Status done =
        hasty ? AbortedError("given up on stale knowledge") : Perform(move, scene, stop);
    if (absl::IsAborted(done) || absl::IsNotFound(done)) {
      ASSIGN_OR_RETURN(const bool still, Refresh(scene, stop));
      if (!still) {
        return std::optional<absl::Duration>();
      }
      continue;
    }
    RETURN_IF_ERROR(done);
    if (move.act == HandoffAct::kClaimed || GivesUp(move.act)) {
      Ended(move, before);
      return std::optional<absl::Duration>();
    }
  }
  return std::optional(kPause);
}

absl::Status HandoffDriver::Perform(const HandoffMove& move, Scene& scene, std::stop_token stop) {
  switch (move.act) {
    case HandoffAct::kNominate:
      return Nominate(scene, std::move(stop));
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
    case HandoffAct::kWait:
      break;
  }
  return absl::OkStatus();
}

absl::Status HandoffDriver::Nominate(Scene& scene, std::stop_token stop) {
  return PatchPod(NominatePatch(*scene.pod, *scene.ticket), scene, std::move(stop));
}

absl::Status HandoffDriver::Release(Scene& scene, std::stop_token stop) {
  // A preemptor may have cleared the nomination since it was made; it must be there now.
  ASSIGN_OR_RETURN(const PodPtr pod, Find<api::Pod>(client_, kube::KeyOf(*scene.pod), stop));
  scene.pod = IfUid(pod, scene.ticket->status.handoff->pod_uid);
  if (!scene.live) {
    // The same for the node, as far as the watch has shown it.
    scene.node = world_.Node(scene.ticket->status.handoff->node);
  }
  if (Step(scene).act != HandoffAct::kRelease) {
    return absl::OkStatus();  // The next step follows from what is there.
  }
  world_.Wrote(*pod);
  const api::ObjectMeta& guardian = scene.guardian->metadata;
  const absl::Status gone = client_.Delete<api::Pod>(kube::KeyOf(*scene.guardian),
                                                     {.uid = guardian.uid,
                                                      .resource_version = guardian.resource_version,
                                                      .grace_period_seconds = 0},
                                                     {.stop = std::move(stop)});
  if (gone.ok() || absl::IsNotFound(gone)) {
    world_.DeletedPod(kube::KeyOf(*scene.guardian), guardian.uid);
    scene.guardian = nullptr;
    return absl::OkStatus();
  }
  return gone;
}

absl::Status HandoffDriver::Ungate(Scene& scene, std::stop_token stop) {
  const bool pin =
      api::ParseClaimRequest(scene.pod->metadata).request.mode == api::ClaimMode::kRequired;
  const absl::Status done = PatchPod(UngatePatch(*scene.pod, *scene.ticket, pin), scene, stop);
  if (!pin || !absl::IsInvalidArgument(done)) {
    return done;
  }
  // The room is free already: better unpinned than not at all.
  events_.Warning(kube::RefTo(*scene.pod), api::kEventHandoffFailed,
                  absl::StrCat("cannot be pinned to node ", scene.ticket->status.handoff->node,
                               ": ", std::string(Message(done))));
  return PatchPod(UngatePatch(*scene.pod, *scene.ticket, false), scene, std::move(stop));
}

absl::Status HandoffDriver::Claimed(Scene& scene, std::stop_token stop) {
  return WriteStatus(scene, ClaimedStatus(*scene.ticket, *scene.pod, clock_.Now()),
                     std::move(stop));
}

absl::Status HandoffDriver::GiveUp(const HandoffMove& move, Scene& scene, std::stop_token stop) {
  // The pod first: while the ticket has the handoff, somebody will come back to it.
  if (const absl::Status told = TellPod(move, scene, stop); !absl::IsNotFound(told)) {
    RETURN_IF_ERROR(told);
  }
  const api::Ticket& ticket = *scene.ticket;
  if (move.act == HandoffAct::kAbort) {
    return WriteStatus(scene, ReturnedStatus(ticket), std::move(stop));
  }
  const std::string why = absl::StrCat(
      "the room on node ", ticket.status.handoff->node, " was lost while it passed to pod ",
      ticket.status.claimed_pod, ": ", std::string(api::Name(move.reason)));
  return WriteStatus(scene, LostStatus(ticket, why, clock_.Now()), std::move(stop));
}

absl::Status HandoffDriver::TellPod(const HandoffMove& move, const Scene& scene,
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

absl::Status HandoffDriver::WriteStatus(Scene& scene, api::TicketStatus status,
                                        std::stop_token stop) {
  api::Ticket updated = *scene.ticket;
  updated.status = std::move(status);
  ASSIGN_OR_RETURN(api::Ticket written,
                   client_.Update(updated, "status", {.stop = std::move(stop)}));
  scene.ticket = world_.Wrote(std::move(written));
  return absl::OkStatus();
}

absl::Status HandoffDriver::PatchPod(const PodPatch& patch, Scene& scene, std::stop_token stop) {
  ASSIGN_OR_RETURN(api::Pod patched,
                   client_.Patch<api::Pod>(kube::KeyOf(*scene.pod), patch.options, patch.body,
                                           {.stop = std::move(stop)}));
  scene.pod = world_.Wrote(std::move(patched));
  return absl::OkStatus();
}

void HandoffDriver::Ended(const HandoffMove& move, const Scene& before) {
  const api::Ticket& ticket = *before.ticket;
  const api::TicketHandoff& handoff = *ticket.status.handoff;
  {
    const MutexLock lock(mu_);
    gone_since_.erase(handoff.id);
  }
  const absl::Duration took = clock_.Now() - handoff.started_at.value_or(clock_.Now());
  metrics_.HandoffEnded(move.act, move.reason, took);
  const std::string reason(api::Name(move.reason));
  log::Info("handoff ended", {{"ns", ticket.metadata.ns},
                              {"ticket", ticket.metadata.name},
                              {"pod", ticket.status.claimed_pod},
                              {"node", handoff.node},
                              {"claimed", move.act == HandoffAct::kClaimed},
                              {"reason", reason},
                              {"took_ms", absl::ToInt64Milliseconds(took)}});
  const api::ObjectReference about = kube::RefTo(ticket);
  if (move.act == HandoffAct::kClaimed) {
    events_.Normal(
        about, api::kEventTicketClaimed,
        absl::StrCat("pod ", ticket.status.claimed_pod, " has the room on node ", handoff.node));
    events_.Normal(
        kube::RefTo(*before.pod), api::kEventTicketClaimed,
        absl::StrCat("has the room of ticket ", ticket.metadata.name, " on node ", handoff.node));
    return;
  }
  events_.Warning(about, api::kEventHandoffFailed,
                  absl::StrCat("to pod ", ticket.status.claimed_pod, ": ", reason));
  if (before.pod && move.act != HandoffAct::kAbort) {
    events_.Warning(kube::RefTo(*before.pod), api::kEventTicketLost,
                    absl::StrCat("did not get the room of ticket ", ticket.metadata.name,
                                 " on node ", handoff.node, ": ", reason));
  }
}

}  // namespace korder::ticket
