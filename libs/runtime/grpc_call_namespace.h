// Whether a call may be about a namespace: it must be the one that the call named in its metadata,
// for which alone UserAccess has looked whether the caller is allowed to.
//
//   RETURN_IF_ERROR(CheckCallNamespace(*context, request->namespace_()));
#pragma once

#include <string>

#include <grpcpp/server_context.h>

#include "base/status.h"

namespace korder::runtime {

// OK when the metadata kNamespaceMetadata says the same as the request; without it, the request
// must be about all namespaces (""). Otherwise PERMISSION_DENIED.
absl::Status CheckCallNamespace(const grpc::ServerContext& context, const std::string& ns);

}  // namespace korder::runtime
