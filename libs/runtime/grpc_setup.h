// What gRPC needs to be told before it is used.
#pragma once

namespace korder::runtime {

// Settings that gRPC takes from the environment only; what the environment says already stays.
// REQUIRES: gRPC was not used yet, and there is no other thread.
void PrepareGrpc();

// gRPC's own messages in korder's log instead of in another format on stderr. Idempotent and
// thread-safe; every server and channel calls it.
void RouteGrpcLogs();

}  // namespace korder::runtime
