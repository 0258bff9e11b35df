#include "ticket-svc/handoff_runner.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/reasons.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/pod_patches.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// More steps than any handoff has, conflicts included: then it is somebody else's turn.
constexpr int kMaxSteps = 16;

template <class T>
void Keep(absl::StatusOr<T> object, std::optional<T>& into) {
  if (object.ok()) {
    into = *std::move(object);
  }
}

}  // namespace

// The objects of one handoff, each as new as the last read or write made it.
struct HandoffRunner::Cast {
  kube::ObjectKey pod_key;
  kube::ObjectKey guardian_key;
  std::optional<api::Pod> pod;
  std::optional<api::Pod> guardian;
  NodePtr node;
  std::optional<MonoTime> gone_since;
};

HandoffRunner::HandoffRunner(kube::Client& client, const World& world, kube::EventRecorder& events,
                             Metrics& metrics, const Clock& clock, absl::Duration settle)
    : client_(client),
      world_(world),
      events_(events),
      metrics_(metrics),
      clock_(clock),
      settle_(settle) {}

absl::StatusOr<HandoffProgress> HandoffRunner::Run(const api::Ticket& ticket,
                                                   std::stop_token stop) {
  Cast cast;
  RETURN_IF_ERROR(Look(ticket, cast, stop));
  for (int i = 0; i < kMaxSteps; ++i) {
    const absl::Time now = clock_.Now();
    const auto end = WindowEnd(ticket);
    HandoffView view{.record = *ticket.status.handoff,
                     .pod = cast.pod ? &*cast.pod : nullptr,
                     .guardian = cast.guardian ? &*cast.guardian : nullptr,
                     .node = cast.node.get(),
                     .window_over = end && *end <= now,
                     .settle = settle_,
                     .now = now};
    if (cast.gone_since) {
      view.gone_for = absl::FromChrono(clock_.Mono() - *cast.gone_since);
    }
    const HandoffMove move = HandoffStep(view);
    if (move.act == HandoffAct::kWait) {
      return HandoffProgress{.again = move.wait};
    }
    if (move.act == HandoffAct::kClaimed || GivesUp(move.act)) {
      return End(ticket, move, cast, stop);
    }
    RETURN_IF_ERROR(Perform(ticket, move.act, cast, stop));
  }
  return AbortedError("the handoff met too many conflicts");
}

absl::Status HandoffRunner::Look(const api::Ticket& ticket, Cast& cast, std::stop_token stop) {
  const api::TicketHandoff& record = *ticket.status.handoff;
  const std::string& pod_name = ticket.status.claimed_pod;
  cast.pod_key = {ticket.metadata.ns, pod_name.substr(pod_name.find('/') + 1)};
  const std::string& guardian_name = ticket.status.guardian_pod;
  cast.guardian_key = {ticket.metadata.ns, guardian_name.substr(guardian_name.find('/') + 1)};
  cast.node = world_.Node(record.node);
  // The watch may not have shown them yet, or may show what was: read both.
  absl::StatusOr<api::Pod> pod = client_.Get<api::Pod>(cast.pod_key, {.stop = stop});
  if (!absl::IsNotFound(pod.status())) {
    RETURN_IF_ERROR(pod.status());
    if (pod->metadata.uid == record.pod_uid) {
      cast.pod = *std::move(pod);
    }
  }
  absl::StatusOr<api::Pod> guardian = client_.Get<api::Pod>(cast.guardian_key, {.stop = stop});
  if (!absl::IsNotFound(guardian.status())) {
    RETURN_IF_ERROR(guardian.status());
    if (guardian->metadata.uid == record.guardian_uid) {
      cast.guardian = *std::move(guardian);
    }
  }
  return absl::OkStatus();
}

absl::Status HandoffRunner::Perform(const api::Ticket& ticket, HandoffAct act, Cast& cast,
                                    std::stop_token stop) {
  const absl::Status status = act == HandoffAct::kNominate  ? Nominate(ticket, cast, stop)
                              : act == HandoffAct::kRelease ? Release(ticket, cast, stop)
                                                            : Ungate(ticket, cast, stop);
  if (absl::IsAborted(status) || absl::IsNotFound(status)) {
    cast.pod.reset();
    cast.guardian.reset();
    return Look(ticket, cast, std::move(stop));  // The world has changed: decide anew.
  }
  return status;
}

absl::Status HandoffRunner::Nominate(const api::Ticket& ticket, Cast& cast, std::stop_token stop) {
  ASSIGN_OR_RETURN(cast.pod,
                   client_.Patch<api::Pod>(
                       cast.pod_key, {.type = kube::PatchType::kMerge, .subresource = "status"},
                       NominatePatch(*cast.pod, ticket), {.stop = std::move(stop)}));
  return absl::OkStatus();
}

absl::Status HandoffRunner::Release(const api::Ticket& ticket, Cast& cast, std::stop_token stop) {
  // A preemptor clears nominations: what counts is what the pod says right before the deletion.
  ASSIGN_OR_RETURN(api::Pod fresh, client_.Get<api::Pod>(cast.pod_key, {.stop = stop}));
  const bool unchanged = fresh.metadata.uid == ticket.status.handoff->pod_uid &&
                         fresh.status.nominated_node_name == ticket.status.handoff->node &&
                         api::HasGate(fresh, api::kGateClaim) && !fresh.metadata.deleting();
  if (!unchanged) {
    return AbortedError("the pod changed before the guardian was released");
  }
  cast.pod = std::move(fresh);
  RETURN_IF_ERROR(
      client_.Delete<api::Pod>(cast.guardian_key,
                               {.uid = cast.guardian->metadata.uid,
                                .resource_version = cast.guardian->metadata.resource_version,
                                .grace_period_seconds = 0},
                               {.stop = std::move(stop)}));
  cast.guardian.reset();
  cast.gone_since = clock_.Mono();
  return absl::OkStatus();
}

absl::Status HandoffRunner::Ungate(const api::Ticket& ticket, Cast& cast, std::stop_token stop) {
  const api::ClaimRequest request = api::ParseClaimRequest(cast.pod->metadata).request;
  const bool pin = request.mode == api::ClaimMode::kRequired;
  ASSIGN_OR_RETURN(cast.pod,
                   client_.Patch<api::Pod>(
                       cast.pod_key, {.type = kube::PatchType::kStrategicMerge},
                       UngatePatch(*cast.pod, ticket, pin ? ticket.status.handoff->node : ""),
                       {.stop = std::move(stop)}));
  return absl::OkStatus();
}

absl::Status HandoffRunner::ClearMark(Cast& cast, std::stop_token stop) {
  if (!cast.pod || api::IsBound(*cast.pod) || HandoffMark(*cast.pod).empty()) {
    return absl::OkStatus();
  }
  const absl::Status status =
      client_
          .Patch<api::Pod>(cast.pod_key, {.type = kube::PatchType::kMerge, .subresource = "status"},
                           ClearNominationPatch(*cast.pod), {.stop = std::move(stop)})
          .status();
  // A mark that stays is seen by the next pass over the waiting pods, which takes it away.
  return absl::IsNotFound(status) || absl::IsAborted(status) ? absl::OkStatus() : status;
}

absl::StatusOr<HandoffProgress> HandoffRunner::End(const api::Ticket& ticket,
                                                   const HandoffMove& move, Cast& cast,
                                                   std::stop_token stop) {
  const absl::Time now = clock_.Now();
  const absl::Duration took = now - ticket.status.handoff->started_at.value_or(now);
  const api::ObjectReference about = kube::RefTo(ticket);
  if (move.act == HandoffAct::kClaimed) {
    metrics_.HandoffEnded("claimed", took);
    const std::string text = absl::StrCat("pod ", cast.pod_key.name, " took over the room on node ",
                                          ticket.status.handoff->node);
    events_.Normal(about, api::kEventTicketClaimed, text);
    events_.Normal(kube::RefTo(*cast.pod), api::kEventTicketClaimed,
                   absl::StrCat("took over ticket ", ticket.metadata.name, " on node ",
                                ticket.status.handoff->node));
    return HandoffProgress{.status = ClaimedStatus(ticket, *cast.pod, now)};
  }
  const std::string reason(api::Name(move.reason));
  metrics_.HandoffEnded("failed", took);
  metrics_.HandoffFailed(reason);
  RETURN_IF_ERROR(ClearMark(cast, std::move(stop)));
  const std::string text =
      absl::StrCat("the handoff to pod ", cast.pod_key.name, " failed: ", reason);
  log::Info("handoff failed", {{"ns", ticket.metadata.ns},
                               {"ticket", ticket.metadata.name},
                               {"pod", cast.pod_key.name},
                               {"reason", reason}});
  events_.Warning(about, api::kEventHandoffFailed, text);
  if (move.act == HandoffAct::kAbort) {
    return HandoffProgress{.status = ReturnedStatus(ticket)};
  }
  if (cast.pod) {
    events_.Warning(kube::RefTo(*cast.pod), api::kEventTicketLost, text);
  }
  return HandoffProgress{.status = LostStatus(ticket, text, now)};
}

}  // namespace korder::ticket
