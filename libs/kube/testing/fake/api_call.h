// What an HTTP request asks of an API server.
//
//   absl::StatusOr<ApiCall> call = ParseCall(request);
//   // PATCH /apis/core.korder.dev/v1alpha1/namespaces/default/tickets/web-1/status
//   // -> verb "patch", resource {core.korder.dev, tickets}, subresource "status", key
//   default/web-1
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/status.h"
#include "kube/object_key.h"
#include "kube/transport.h"

namespace korder::kube::fake {

struct ResourceId {
  std::string group;
  std::string plural;
  auto operator<=>(const ResourceId&) const = default;
};

struct ApiCall {
  std::string verb;  // create, get, list, watch, update, patch, delete, deletecollection
  ResourceId resource;
  std::string version;
  std::string subresource;
  ObjectKey key;  // without a name for create, list, watch
  std::map<std::string, std::string, std::less<>> query;
  std::string content_type;
  std::string body;

  bool IsWrite() const { return verb != "get" && verb != "list" && verb != "watch"; }
  // "pods" or "pods/status", as RBAC rules spell it.
  std::string ResourcePath() const;
  std::string ApiVersion() const;
  // The parameter's value, "" when there is none.
  std::string Query(std::string_view name) const;
};

// INVALID_ARGUMENT for what is no path of the resource API.
absl::StatusOr<ApiCall> ParseCall(const HttpRequest& request);

}  // namespace korder::kube::fake
