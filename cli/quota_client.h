// The questions to quota-svc, asked until somebody answers or the time is over.
//
//   QuotaClient client(connector, {.timeout = absl::Seconds(10), ...});
//   ASSIGN_OR_RETURN(const pb::QueryResponse response, client.Query(request));
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "cli/connect.h"
#include "cli/pb.h"

namespace korder::cli {

struct QuotaClientOptions {
  absl::Duration timeout = absl::Seconds(10);       // of a question, with every try
  std::string system_namespace;                     // for messages
  absl::Duration longest_pause = absl::Seconds(5);  // between tries of a watch
};

// Errors say what to do next. Not thread-safe.
class QuotaClient {
 public:
  // Borrows the connector and the clock.
  QuotaClient(Connector& connector, const Clock& clock, QuotaClientOptions options)
      : connector_(connector), clock_(clock), options_(std::move(options)) {}

  absl::StatusOr<pb::QueryResponse> Query(const pb::QueryRequest& request);
  absl::StatusOr<pb::CheckResponse> Check(const pb::CheckRequest& request);

  // Calls `on_message` with everything that comes, until stop; `first` is true for the first of a
  // stream; when it returns false, the stream is given up and begun anew. A connection that breaks,
  // once there was one, is made again for as long as it takes, and `on_break` is told why, at every
  // try. CANCELLED on stop, otherwise what cannot be helped by trying again.
  absl::Status Watch(
      const pb::WatchRequest& request, std::stop_token stop,
      const std::function<bool(const pb::WatchResponse& message, bool first)>& on_message,
      const std::function<void(std::string_view why)>& on_break);

 private:
  // One call by `method`, on the connection that there is or a new one.
  template <class Method, class Request, class Response>
  absl::Status Call(Method method, const Request& request, Response& response);
  absl::Status Connect();
  absl::Status Explained(const absl::Status& status) const;
  // One stream to its end. `told` becomes true with its first message.
  absl::Status Stream(
      const pb::WatchRequest& request, std::stop_token stop,
      const std::function<bool(const pb::WatchResponse& message, bool first)>& on_message,
      bool& told);

  Connector& connector_;
  const Clock& clock_;
  const QuotaClientOptions options_;
  std::optional<Connection> connection_;
};

}  // namespace korder::cli
