#include "kube/leader_transport.h"

namespace korder::kube {

absl::StatusOr<HttpResponse> LeaderTransport::Do(const HttpRequest& request,
                                                 const CallOptions& options) {
  if (request.method != "GET" && !leads_()) {
    return CancelledError("not sent: this process does not lead any more");
  }
  return transport_.Do(request, options);
}

absl::StatusOr<StreamResponse> LeaderTransport::Open(const HttpRequest& request,
                                                     const CallOptions& options) {
  return transport_.Open(request, options);
}

}  // namespace korder::kube
