#include "runtime/grpc_access.h"

#include <string>

namespace korder::runtime {

bool MayCall(const AllowList& allow, std::string_view method, std::string_view peer) {
  if (peer.empty()) {
    return false;
  }
  if (method.starts_with("/grpc.health.v1.Health/") || method.starts_with("/grpc.reflection.")) {
    return true;
  }
  const auto entry = allow.find(std::string(method));
  return entry != allow.end() && entry->second.contains(std::string(peer));
}

}  // namespace korder::runtime
