// The gRPC service OrderPlanner: parses, asks the planner and quota-svc, renders. Reads only, so
// every replica answers.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/server_context.h>

#include "base/clock.h"
#include "base/status.h"
#include "korder/order/v1/order.grpc.pb.h"
#include "kube/store.h"
#include "order-svc/planner.h"
#include "runtime/grpc_server.h"
#include "runtime/ledger_client.h"
#include "runtime/user_access.h"

namespace korder::order {

namespace pb = korder::order::v1;

// No service of korder asks; people do.
runtime::AllowList PlannerAllowList();
std::set<std::string> PlannerUserMethods();
// They must be allowed to list orders in the namespace that they ask about.
runtime::UserAccessOptions PlannerUserAccess();

// Thread-safe.
class PlannerService final : public pb::OrderPlanner::Service {
 public:
  static constexpr char kService[] = "korder.order.v1.OrderPlanner";

  using ListNodes = std::function<std::vector<NodePtr>()>;
  using AskQuota = std::function<absl::StatusOr<runtime::LedgerForecast>(
      const runtime::LedgerQuestion&, std::stop_token)>;

  // Borrows store and clock. The functions are called by several threads at once.
  PlannerService(const kube::Store<api::Order>& orders, ListNodes nodes, AskQuota ask,
                 const Clock& clock)
      : orders_(orders), nodes_(std::move(nodes)), ask_(std::move(ask)), clock_(clock) {}

  grpc::Status Preview(grpc::ServerContext* context, const pb::PreviewRequest* request,
                       pb::PreviewResponse* response) override;
  grpc::Status Calendar(grpc::ServerContext* context, const pb::CalendarRequest* request,
                        pb::CalendarResponse* response) override;

 private:
  absl::Status Preview(const grpc::ServerContext& context, const pb::PreviewRequest& request,
                       pb::PreviewResponse& response) const;
  absl::Status Calendar(const pb::CalendarRequest& request, pb::CalendarResponse& response) const;
  // Fills in the verdicts, or says in a note why there are none.
  void Judge(const grpc::ServerContext& context, const api::Order& order, bool exists,
             const OrderPreview& preview, pb::PreviewResponse& response) const;

  const kube::Store<api::Order>& orders_;
  const ListNodes nodes_;
  const AskQuota ask_;
  const Clock& clock_;
};

}  // namespace korder::order
