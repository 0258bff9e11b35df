// Who may call which method. Pure; grpc_credentials.cc asks it for every call over TLS.
#pragma once

#include <string_view>

#include "runtime/grpc_server.h"

namespace korder::runtime {

// Health and reflection are open to every peer with a valid certificate; every other method only to
// the peers the list names. Default deny.
bool MayCall(const AllowList& allow, std::string_view method, std::string_view peer);

}  // namespace korder::runtime
