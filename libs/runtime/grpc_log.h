// gRPC's own messages in korder's log instead of in another format on stderr.
#pragma once

namespace korder::runtime {

// Idempotent and thread-safe; every server and channel calls it.
void RouteGrpcLogs();

}  // namespace korder::runtime
