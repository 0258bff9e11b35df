#include "runtime/grpc_setup.h"

#include <cstdlib>
#include <grpc/support/log.h>
#include <string_view>

#include "base/log.h"

namespace korder::runtime {
namespace {

// What gRPC calls an error is mostly a connection that did not come about: the call that needed it
// reports that. So nothing of it is louder than a warning.
void Write(gpr_log_func_args* args) {
  std::string_view file = args->file;
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    log::Warn("grpc", {{"message", args->message}, {"file", file}, {"line", args->line}});
  } else {
    log::Debug("grpc", {{"message", args->message}, {"file", file}, {"line", args->line}});
  }
}

}  // namespace

void PrepareGrpc() {
  // Channels without a call under way look at their connections this often only, and that is when
  // they notice that another replica leads: with the default of 5 s a failover takes 5 s longer.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 0);
}

void RouteGrpcLogs() {
  [[maybe_unused]] static const bool kOnce = [] {
    gpr_set_log_function(&Write);
    return true;
  }();
}

}  // namespace korder::runtime
