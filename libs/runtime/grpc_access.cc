#include "runtime/grpc_access.h"

#include <string>

namespace korder::runtime {

bool IsHealth(std::string_view method) { return method.starts_with("/grpc.health.v1.Health/"); }

bool UserMayAsk(const std::set<std::string>& user_methods, std::string_view method) {
  return IsHealth(method) || user_methods.contains(std::string(method));
}

bool MayCall(const AllowList& allow, std::string_view method, std::string_view peer) {
  if (peer.empty()) {
    return false;
  }
  if (IsHealth(method) || method.starts_with("/grpc.reflection.")) {
    return true;
  }
  const auto entry = allow.find(std::string(method));
  return entry != allow.end() && entry->second.contains(std::string(peer));
}

}  // namespace korder::runtime
