// The gRPC service TicketDesk: would this pod get a ticket now, and which room is passing on? Reads
// only, so every replica answers.
#pragma once

#include <grpcpp/grpcpp.h>
#include <set>
#include <string>

#include "base/clock.h"
#include "korder/ticket/v1/ticket.grpc.pb.h"
#include "runtime/grpc_server.h"
#include "runtime/user_access.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Which services may call what.
runtime::AllowList DeskAllowList();
// What people may call, and whom Kubernetes must let get the tickets of the namespace.
std::set<std::string> DeskUserMethods();
runtime::UserAccessOptions DeskUserAccess();

// Thread-safe.
class TicketDesk final : public v1::TicketDesk::Service {
 public:
  static constexpr char kService[] = "korder.ticket.v1.TicketDesk";

  // Borrows everything.
  TicketDesk(const World& world, const Clock& clock, ClaimRules rules)
      : world_(world), clock_(clock), rules_(rules) {}

  grpc::Status Offer(grpc::ServerContext* context, const v1::OfferRequest* request,
                     v1::OfferResponse* response) override;
  grpc::Status Handoffs(grpc::ServerContext* context, const v1::HandoffsRequest* request,
                        v1::HandoffsResponse* response) override;

 private:
  v1::Handoff::Stage StageOf(const GuardedTicket& ticket) const;

  const World& world_;
  const Clock& clock_;
  const ClaimRules rules_;
};

}  // namespace korder::ticket
