#include "cli/patient_call.h"

#include <stop_token>

#include "base/pause.h"
#include "cli/explain.h"
#include "runtime/grpc_client.h"

namespace korder::cli {
namespace {

constexpr absl::Duration kBetweenTries = absl::Milliseconds(250);

}  // namespace

absl::Status AskPatiently(const Clock& clock, absl::Duration timeout,
                          const std::function<absl::Status(grpc::ClientContext&)>& once) {
  const MonoTime end = clock.Mono() + absl::ToChronoNanoseconds(timeout);
  absl::Status unavailable;
  while (true) {
    const absl::Duration left = absl::FromChrono(end - clock.Mono());
    if (!unavailable.ok() && left < kBetweenTries) {
      return unavailable;
    }
    grpc::ClientContext context;
    runtime::SetDeadline(context, left);
    const absl::Status status = once(context);
    // Of a call that ran out of time after others were refused, the refusal says more.
    if (absl::IsDeadlineExceeded(status) && !unavailable.ok()) {
      return unavailable;
    }
    if (!MayPass(status)) {
      return status;
    }
    unavailable = status;
    Pause(kBetweenTries, std::stop_token());
  }
}

absl::Status FromGrpc(const grpc::Status& status) {
  return status.ok() ? absl::OkStatus()
                     : absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                                    status.error_message());
}

}  // namespace korder::cli
