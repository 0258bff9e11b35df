#include "ticket-svc/ticket_desk.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "runtime/grpc_call_namespace.h"
#include "runtime/grpc_client.h"
#include "ticket-svc/claim_fit.h"
#include "ticket-svc/handoff_method.h"
#include "ticket-svc/keys.h"

namespace korder::ticket {
namespace {

absl::StatusOr<PodPtr> ParsePod(const v1::OfferRequest& request) {
  if (request.namespace_().empty()) {
    return InvalidArgumentError("namespace: is required");
  }
  api::Pod pod;
  if (absl::Status status = json::Parse(request.pod_json(), pod); !status.ok()) {
    return InvalidArgumentError(absl::StrCat("pod_json: ", std::string(Message(status))));
  }
  // At admission a pod's namespace may stand in the request only.
  pod.metadata.ns = request.namespace_();
  return std::make_shared<const api::Pod>(std::move(pod));
}

}  // namespace

runtime::AllowList DeskAllowList() {
  return {{"/korder.ticket.v1.TicketDesk/Offer", {"korder-admission-svc"}},
          {"/korder.ticket.v1.TicketDesk/Handoffs", {"korder-admission-svc"}}};
}

std::set<std::string> DeskUserMethods() {
  return {"/korder.ticket.v1.TicketDesk/Offer", "/korder.ticket.v1.TicketDesk/Handoffs"};
}

runtime::UserAccessOptions DeskUserAccess() {
  return {.access = {.verb = "get",
                     .group = std::string(api::Ticket::kResource.group),
                     .resource = std::string(api::Ticket::kResource.plural),
                     .ns = "",
                     .name = ""},
          .in_namespace = true};
}

grpc::Status TicketDesk::Offer(grpc::ServerContext* context, const v1::OfferRequest* request,
                               v1::OfferResponse* response) {
  const absl::Status named = runtime::CheckCallNamespace(*context, request->namespace_());
  absl::StatusOr<PodPtr> pod = named.ok() ? ParsePod(*request) : named;
  if (!pod.ok()) {
    return runtime::ToGrpcStatus(pod.status());
  }
  const Claimant claimant = MakeClaimant(*std::move(pod), rules_);
  const std::vector<Room> rooms = world_.Rooms(request->namespace_());
  const absl::Time now = clock_.Now();
  if (const Room* room = BestRoom(claimant, rooms, now)) {
    v1::OfferResponse::Ticket& ticket = *response->mutable_ticket();
    ticket.set_name(room->ticket->metadata.name);
    ticket.set_order(std::string(room->ticket->order()));
    ticket.set_node(room->ticket->status.node_name.str());
  } else {
    v1::OfferResponse::NoTicket& none = *response->mutable_none();
    none.set_message(Explain(claimant, rooms, now));
    for (std::string& help : WhatWouldHelp(claimant, rooms, now)) {
      none.add_help(std::move(help));
    }
  }
  return grpc::Status::OK;
}

grpc::Status TicketDesk::Handoffs(grpc::ServerContext* context, const v1::HandoffsRequest* request,
                                  v1::HandoffsResponse* response) {
  if (absl::Status named = runtime::CheckCallNamespace(*context, request->namespace_());
      !named.ok()) {
    return runtime::ToGrpcStatus(named);
  }
  for (const TicketPtr& ticket : world_.Handoffs()) {
    if (!request->namespace_().empty() && request->namespace_() != ticket->metadata.ns) {
      continue;
    }
    const api::TicketHandoff& handoff = *ticket->status.handoff;
    v1::Handoff& entry = *response->add_handoffs();
    entry.set_id(handoff.id);
    entry.set_namespace_(ticket->metadata.ns.str());
    entry.set_ticket(ticket->metadata.name);
    entry.set_pod(ParseKey(ticket->status.claimed_pod()).name);
    entry.set_node(handoff.node);
    entry.set_stage(StageOf(*ticket));
    if (handoff.started_at) {
      entry.mutable_started()->set_seconds(absl::ToUnixSeconds(*handoff.started_at));
    }
  }
  return grpc::Status::OK;
}

v1::Handoff::Stage TicketDesk::StageOf(const GuardedTicket& ticket) const {
  const api::TicketHandoff& handoff = *ticket.status.handoff;
  const PodPtr pod = world_.ClaimPod(ParseKey(ticket.status.claimed_pod()));
  const OwnPodPtr guardian = world_.Guardian(GuardianKey(ticket));
  const HandoffView view{.record = handoff,
                         .method = MethodOf(rules_.method),
                         .pod = pod && pod->metadata.uid == handoff.pod_uid ? pod.get() : nullptr,
                         .guardian = guardian && guardian->metadata.uid == handoff.guardian_uid
                                         ? guardian.get()
                                         : nullptr};
  switch (ticket::StageOf(view)) {
    case HandoffStage::kHeld:
      return v1::Handoff::HELD;
    case HandoffStage::kMarked:
      return v1::Handoff::MARKED;
    case HandoffStage::kReleased:
      return v1::Handoff::RELEASED;
    case HandoffStage::kOpen:
      return v1::Handoff::OPEN;
    case HandoffStage::kOver:
      break;
  }
  return v1::Handoff::OVER;
}

}  // namespace korder::ticket
