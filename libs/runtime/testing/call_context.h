// The context of a call that names a namespace, for tests that call a service's methods without a
// server.
//
//   CallContext context("team-a");
//   CHECK(service.Resolve(context.get(), &request, &response).ok());
#pragma once

#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/test/server_context_test_spouse.h>

#include "runtime/user_access.h"

namespace korder::runtime {

class CallContext {
 public:
  explicit CallContext(const std::string& ns) : spouse_(&context_) {
    if (!ns.empty()) {
      spouse_.AddClientMetadata(kNamespaceMetadata, ns);
    }
  }
  grpc::ServerContext* get() { return &context_; }

 private:
  grpc::ServerContext context_;
  grpc::testing::ServerContextTestSpouse spouse_;
};

}  // namespace korder::runtime
