// TicketDesk over gRPC: would this pod get a ticket now? Parses, asks claim_fit, renders.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "korder/ticket/v1/ticket.grpc.pb.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe.
class TicketDesk final : public v1::TicketDesk::Service {
 public:
  // Borrows both.
  TicketDesk(const World& world, const Clock& clock, absl::Duration default_timeout);

  grpc::Status Offer(grpc::ServerContext* context, const v1::OfferRequest* request,
                     v1::OfferResponse* response) override;

 private:
  const World& world_;
  const Clock& clock_;
  const absl::Duration default_timeout_;
};

}  // namespace korder::ticket
