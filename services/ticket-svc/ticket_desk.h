// The gRPC service TicketDesk: would this pod get a ticket now? Reads only, so every replica
// answers.
#pragma once

#include <grpcpp/grpcpp.h>

#include "base/clock.h"
#include "korder/ticket/v1/ticket.grpc.pb.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe.
class TicketDesk final : public v1::TicketDesk::Service {
 public:
  static constexpr char kService[] = "korder.ticket.v1.TicketDesk";

  // Borrows everything.
  TicketDesk(const World& world, const Clock& clock) : world_(world), clock_(clock) {}

  grpc::Status Offer(grpc::ServerContext* context, const v1::OfferRequest* request,
                     v1::OfferResponse* response) override;

 private:
  const World& world_;
  const Clock& clock_;
};

}  // namespace korder::ticket
