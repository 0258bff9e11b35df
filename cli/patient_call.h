// One question to a service of korder, asked until somebody answers or the time is over.
//
//   return AskPatiently(clock, timeout, [&](grpc::ClientContext& context) {
//     context.AddMetadata("authorization", "Bearer " + token);
//     return FromGrpc(stub->Query(&context, request, &response));
//   });
#pragma once

#include <functional>
#include <grpcpp/support/status.h>

#include <grpcpp/client_context.h>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"

namespace korder::cli {

// `once` gets a context of its own each time, with its deadline. What may pass is tried again.
absl::Status AskPatiently(const Clock& clock, absl::Duration timeout,
                          const std::function<absl::Status(grpc::ClientContext&)>& once);

// Without the name of an attempt: Explain says what was attempted, where that matters.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace korder::cli
