#include "ticket-svc/ticket_desk.h"

#include <utility>

#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "runtime/grpc_client.h"
#include "ticket-svc/claim_reconciler.h"

namespace korder::ticket {

TicketDesk::TicketDesk(const World& world, const Clock& clock, absl::Duration default_timeout)
    : world_(world), clock_(clock), default_timeout_(default_timeout) {}

grpc::Status TicketDesk::Offer(grpc::ServerContext*, const v1::OfferRequest* request,
                               v1::OfferResponse* response) {
  auto pod = std::make_shared<api::Pod>();
  if (const absl::Status bad = json::Parse(request->pod_json(), *pod); !bad.ok()) {
    return runtime::ToGrpcStatus(Annotate(bad, "pod_json"));
  }
  pod->metadata.ns = request->namespace_();
  const Claimant claimant = MakeClaimant(std::move(pod), default_timeout_);
  const std::vector<Room> rooms = RoomsIn(world_, request->namespace_());
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
