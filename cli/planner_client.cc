#include "cli/planner_client.h"

#include <grpcpp/channel.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/explain.h"
#include "cli/patient_call.h"
#include "korder/order/v1/order.grpc.pb.h"

namespace korder::cli {

template <class Method, class Request, class Response>
absl::Status PlannerClient::Call(Method method, const Request& request, Response& response) {
  if (!connection_) {
    ASSIGN_OR_RETURN(connection_, connector_.Connect());
  }
  const auto stub = order_pb::OrderPlanner::NewStub(connection_->channel);
  const absl::Status status =
      AskPatiently(clock_, options_.timeout, [&](grpc::ClientContext& context) {
        Identify(context, *connection_, request.namespace_());
        return FromGrpc((stub.get()->*method)(&context, request, &response));
      });
  const std::string where = request.namespace_().empty()
                                ? " in all namespaces"
                                : absl::StrCat(" in namespace ", request.namespace_());
  return Explain(status, {.where = connection_->where,
                          .system_namespace = options_.system_namespace,
                          .service = "order-svc",
                          .permission = "list orders.core.korder.dev" + where});
}

absl::StatusOr<order_pb::PreviewResponse> PlannerClient::Preview(
    const order_pb::PreviewRequest& request) {
  order_pb::PreviewResponse response;
  RETURN_IF_ERROR(Call(&order_pb::OrderPlanner::Stub::Preview, request, response));
  return response;
}

absl::StatusOr<order_pb::CalendarResponse> PlannerClient::Calendar(
    const order_pb::CalendarRequest& request) {
  order_pb::CalendarResponse response;
  RETURN_IF_ERROR(Call(&order_pb::OrderPlanner::Stub::Calendar, request, response));
  return response;
}

}  // namespace korder::cli
