// The questions to order-svc's OrderPlanner, asked until somebody answers or the time is over.
//
//   PlannerClient planner(connector, clock, {.timeout = absl::Seconds(10), ...});
//   ASSIGN_OR_RETURN(const order_pb::PreviewResponse response, planner.Preview(request));
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "cli/connect.h"
#include "cli/pb.h"

namespace korder::cli {

struct PlannerClientOptions {
  absl::Duration timeout = absl::Seconds(10);  // of a question, with every try
  std::string system_namespace;                // for messages
};

// Errors say what to do next. Not thread-safe.
class PlannerClient {
 public:
  // Borrows the clock. `connector` is the way to order-svc.
  PlannerClient(Connector connector, const Clock& clock, PlannerClientOptions options)
      : connector_(std::move(connector)), clock_(clock), options_(std::move(options)) {}

  absl::StatusOr<order_pb::PreviewResponse> Preview(const order_pb::PreviewRequest& request);
  absl::StatusOr<order_pb::CalendarResponse> Calendar(const order_pb::CalendarRequest& request);

 private:
  template <class Method, class Request, class Response>
  absl::Status Call(Method method, const Request& request, Response& response);

  Connector connector_;
  const Clock& clock_;
  const PlannerClientOptions options_;
  std::optional<Connection> connection_;
};

}  // namespace korder::cli
