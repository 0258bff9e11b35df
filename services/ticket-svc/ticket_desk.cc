#include "ticket-svc/ticket_desk.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "runtime/grpc_client.h"
#include "ticket-svc/claim_fit.h"

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

grpc::Status TicketDesk::Offer(grpc::ServerContext*, const v1::OfferRequest* request,
                               v1::OfferResponse* response) {
  absl::StatusOr<PodPtr> pod = ParsePod(*request);
  if (!pod.ok()) {
    return runtime::ToGrpcStatus(pod.status());
  }
  const Claimant claimant = MakeClaimant(*std::move(pod), api::kDefaultClaimTimeout);
  const std::vector<Room> rooms = world_.Rooms(request->namespace_());
  const absl::Time now = clock_.Now();
  if (const Room* room = BestRoom(claimant, rooms, now)) {
    v1::OfferResponse::Ticket& ticket = *response->mutable_ticket();
    ticket.set_name(room->ticket->metadata.name);
    ticket.set_order(std::string(api::ValueOf(room->ticket->metadata.labels, api::kLabelOrder)));
    ticket.set_node(room->ticket->status.node_name);
  } else {
    response->mutable_none()->set_message(Explain(claimant, rooms, now));
  }
  return grpc::Status::OK;
}

}  // namespace korder::ticket
