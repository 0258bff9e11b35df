// gRPC ends its threads in the background once nothing uses it. A process that exits at that moment
// loses OpenSSL's per-thread random generators, which the leak check at exit then reports, once in
// a while. So in a test program that links this, the end of the tests waits for the end of gRPC.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <grpc/grpc.h>

#include <catch2/catch.hpp>

namespace korder::runtime {
namespace {

struct GrpcShutdownListener final : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testRunEnded(const Catch::TestRunStats&) override {
    grpc_init();
    grpc_shutdown_blocking();
  }
};

CATCH_REGISTER_LISTENER(GrpcShutdownListener)

}  // namespace
}  // namespace korder::runtime
