// The gRPC service ClaimRouter: what the webhook would do to a pod, and what there is for it. Reads
// only, so every replica answers.
#pragma once

#include <grpcpp/grpcpp.h>
#include <set>
#include <string>

#include "admission-svc/peers.h"
#include "admission-svc/policy_stores.h"
#include "korder/admission/v1/admission.grpc.pb.h"
#include "runtime/grpc_server.h"
#include "runtime/user_access.h"

namespace korder::admission {

namespace pb = ::korder::admission::v1;

// Which services may call what: none does.
runtime::AllowList RouterAllowList();
// What people may call, and whom Kubernetes must let get the claim policies of the namespace.
std::set<std::string> RouterUserMethods();
runtime::UserAccessOptions RouterUserAccess();

// Thread-safe.
class ClaimRouterService final : public pb::ClaimRouter::Service {
 public:
  // Borrows the desk and the stores. REQUIRES: those of policies have the index kByNamespace.
  ClaimRouterService(TicketDesk& desk, PolicyStores stores) : desk_(desk), stores_(stores) {}

  grpc::Status Resolve(grpc::ServerContext* context, const pb::ResolveRequest* request,
                       pb::ResolveResponse* response) override;

 private:
  absl::Status Answer(const pb::ResolveRequest& request, pb::ResolveResponse& response);
  // What keeps the pod from being seen at all; "" when nothing does.
  std::string WhyUnseen(const std::string& ns, const std::string& policy) const;
  void AskForOffer(const std::string& ns, const api::Pod& pod, bool only_with_ticket,
                   pb::ResolveResponse& response);

  TicketDesk& desk_;
  const PolicyStores stores_;
};

}  // namespace korder::admission
