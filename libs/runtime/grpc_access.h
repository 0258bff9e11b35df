// Who may call which method. Pure; grpc_credentials.cc asks it for every call over TLS.
#pragma once

#include <string_view>

#include "runtime/grpc_server.h"

namespace korder::runtime {

bool IsHealth(std::string_view method);
// What a user without a certificate may ask at all: the methods listed, with a token, and the
// health, which tells no secrets and is how a client finds the leader.
bool UserMayAsk(const std::set<std::string>& user_methods, std::string_view method);
// Health and reflection are open to every peer with a valid certificate; every other method only to
// the peers the list names. Default deny.
bool MayCall(const AllowList& allow, std::string_view method, std::string_view peer);

}  // namespace korder::runtime
