// Builds requests to an API server. Pure: every verb and corner is tested as text.
//
//   HttpRequest r = PatchRequest(api::Ticket::kResource, key, {.type = PatchType::kMerge,
//                                .subresource = "status"}, body);
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "api/meta/resource_type.h"
#include "base/status.h"
#include "kube/object_key.h"
#include "kube/transport.h"

namespace korder::kube {

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  int limit = 0;  // 0 = one page with everything
  std::string continue_token;
  // "" = a quorum read; "0" = whatever the watch cache has.
  std::string resource_version;
};

struct WatchOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  absl::Duration timeout = absl::Minutes(5);  // the server ends the watch after this
};

enum class PatchType { kMerge, kStrategicMerge, kJson, kApply };

struct PatchOptions {
  PatchType type = PatchType::kMerge;
  std::string subresource;  // "", "status", "scale"
  bool force = false;       // kApply only: take over fields of other managers
};

struct DeleteOptions {
  std::string uid;               // precondition; empty = none
  std::string resource_version;  // precondition; empty = none
  std::optional<int64_t> grace_period_seconds;
  std::string propagation_policy;  // "Background", "Foreground", "Orphan" or the server's default
};

// The name under which korder's writes are recorded in managedFields; also the User-Agent's stem.
inline constexpr std::string_view kFieldManager = "korder";

// INVALID_ARGUMENT when the key cannot name one object. Checked before every request about one:
// with an empty name, "delete one" would read "delete all of the collection".
absl::Status CheckKey(const api::ResourceType& resource, const ObjectKey& key);

HttpRequest GetRequest(const api::ResourceType& resource, const ObjectKey& key);
// An empty `ns` means all namespaces (or a cluster-scoped resource).
HttpRequest ListRequest(const api::ResourceType& resource, std::string_view ns,
                        const ListOptions& options);
HttpRequest WatchRequest(const api::ResourceType& resource, std::string_view ns,
                         const WatchOptions& options);
HttpRequest CreateRequest(const api::ResourceType& resource, std::string_view ns, std::string body);
// A whole-object PUT; the body carries the resourceVersion it is based on.
HttpRequest UpdateRequest(const api::ResourceType& resource, const ObjectKey& key,
                          std::string_view subresource, std::string body);
HttpRequest PatchRequest(const api::ResourceType& resource, const ObjectKey& key,
                         const PatchOptions& options, std::string body);
HttpRequest DeleteRequest(const api::ResourceType& resource, const ObjectKey& key,
                          const DeleteOptions& options);

}  // namespace korder::kube
