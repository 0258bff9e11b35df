#include "runtime/grpc_log.h"

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

void RouteGrpcLogs() {
  [[maybe_unused]] static const bool kOnce = [] {
    gpr_set_log_function(&Write);
    return true;
  }();
}

}  // namespace korder::runtime
