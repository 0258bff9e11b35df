#include "admission-svc/grpc_peers.h"

#include "base/status_macros.h"
#include "korder/ticket/v1/ticket.grpc.pb.h"
#include "runtime/user_access.h"

namespace korder::admission {

namespace pb = ::korder::ticket::v1;

GrpcTicketDesk::GrpcTicketDesk(std::string address, const runtime::TlsMaterial& tls)
    : channel_({.address = std::move(address),
                .peer = "korder-ticket-svc",
                .tls = tls,
                .health_service = pb::TicketDesk::service_full_name()}) {}

absl::StatusOr<Offer> GrpcTicketDesk::Ask(const std::string& ns, const std::string& pod_json) {
  pb::OfferRequest request;
  request.set_namespace_(ns);
  request.set_pod_json(pod_json);
  pb::OfferResponse response;
  grpc::ClientContext context;
  runtime::SetDeadline(context, kPeerTimeout);
  context.AddMetadata(runtime::kNamespaceMetadata, ns);
  RETURN_IF_ERROR(runtime::FromGrpcStatus(
      pb::TicketDesk::NewStub(channel_.Get())->Offer(&context, request, &response), "offer"));
  const pb::OfferResponse::NoTicket& none = response.none();
  return Offer{.fits = response.has_ticket(),
               .message = none.message(),
               .ticket = response.ticket().name(),
               .order = response.ticket().order(),
               .node = response.ticket().node(),
               .help = {none.help().begin(), none.help().end()}};
}

}  // namespace korder::admission
