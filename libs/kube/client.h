// Reads and writes Kubernetes objects as typed values.
//
//   absl::StatusOr<api::Order> order = client.Get<api::Order>({"default", "my-order"});
//   absl::Status gone = client.Delete<api::Pod>(key, {.uid = uid, .grace_period_seconds = 0});
//
// Codes: NOT_FOUND (404), ALREADY_EXISTS, ABORTED (409 conflict or failed precondition: read
// again), INVALID_ARGUMENT (400, 422), PERMISSION_DENIED, UNAUTHENTICATED, OUT_OF_RANGE (410),
// RESOURCE_EXHAUSTED (429, with RetryAfter), UNAVAILABLE (5xx, connection), DEADLINE_EXCEEDED,
// CANCELLED. Messages begin with the attempt: "patch tickets/default/web-1/status: ...".
// Thread-safe; borrows the transport.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/meta/list_meta.h"
#include "api/meta/managed_fields.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/observer.h"
#include "kube/request.h"
#include "kube/transport.h"

namespace korder::kube {

template <class T>
struct ObjectList {
  api::ListMeta metadata;
  std::vector<T> items;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
    v("items", self.items);
  }
};

namespace internal {
// An object without its spec.
template <class T>
struct StatusOf {
  const T& object;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", T::kResource.ApiVersion());
    v.Constant("kind", T::kResource.kind);
    v("metadata", self.object.metadata);
    v("status", self.object.status);
  }
};
}  // namespace internal

class Client {
 public:
  explicit Client(HttpTransport& transport, Observer& observer = NoObserver());

  template <class T>
  absl::StatusOr<T> Get(const ObjectKey& key, const CallOptions& options = {}) {
    const Attempt attempt{"get", T::kResource, key};
    return Decode<T>(attempt, CallItem(attempt, GetRequest(T::kResource, key), options));
  }
  // One page.
  template <class T>
  absl::StatusOr<ObjectList<T>> List(std::string_view ns, const ListOptions& list = {},
                                     const CallOptions& options = {}) {
    return Decode<ObjectList<T>>({"list", T::kResource, {std::string(ns), ""}},
                                 ListText(T::kResource, ns, list, options));
  }
  template <class T>
  absl::StatusOr<T> Create(const T& object, const CallOptions& options = {}) {
    const Attempt attempt{"create", T::kResource, KeyOf(object)};
    return Decode<T>(
        attempt,
        Call(attempt, CreateRequest(T::kResource, attempt.key.ns, json::Print(object)), options));
  }
  // A PUT of the whole object; ABORTED when object.metadata.resource_version is not the newest.
  template <class T>
  absl::StatusOr<T> Update(const T& object, std::string_view subresource = "",
                           const CallOptions& options = {}) {
    return Put<T>(KeyOf(object), subresource, json::Print(object), options);
  }
  // As Update, of the status of a custom resource: the spec is not sent, since the server does not
  // look at it there. Nor does it at labels and the like; but whoever applied one (server-side) and
  // finds it missing here counts as its owner no more, and could not take it away by applying
  // without it.
  template <class T>
  absl::StatusOr<T> UpdateStatus(const T& object, const CallOptions& options = {}) {
    return Put<T>(KeyOf(object), "status", json::Print(internal::StatusOf<T>{object}), options);
  }
  // `body` is the patch document. Put metadata.resourceVersion or uid into it for a precondition.
  template <class T>
  absl::StatusOr<T> Patch(const ObjectKey& key, const PatchOptions& patch, std::string body,
                          const CallOptions& options = {}) {
    const Attempt attempt{"patch", T::kResource, key, patch.subresource};
    return Decode<T>(
        attempt,
        CallItem(attempt, PatchRequest(T::kResource, key, patch, std::move(body)), options));
  }
  template <class T>
  absl::Status Delete(const ObjectKey& key, const DeleteOptions& del = {},
                      const CallOptions& options = {}) {
    return CallItem({"delete", T::kResource, key}, DeleteRequest(T::kResource, key, del), options)
        .status();
  }

  // One page of a list as text.
  absl::StatusOr<std::string> ListText(const api::ResourceType& resource, std::string_view ns,
                                       const ListOptions& list, const CallOptions& options = {});
  // Opens a watch; the stream carries one JSON event per line.
  absl::StatusOr<std::unique_ptr<ByteStream>> Watch(const api::ResourceType& resource,
                                                    std::string_view ns, const WatchOptions& watch,
                                                    const CallOptions& options = {});
  // A request that is not about typed objects, for instance GET /version or a TokenReview.
  absl::StatusOr<std::string> Raw(const HttpRequest& request, const CallOptions& options = {});

  HttpTransport& transport() { return transport_; }
  Observer& observer() { return observer_; }

 private:
  // What is tried, for messages and metrics.
  struct Attempt {
    std::string_view verb;
    const api::ResourceType& resource;
    ObjectKey key;
    std::string_view subresource = "";

    std::string ToString() const;  // "patch tickets/default/web-1/status"
  };

  // Performs the exchange and maps a refusal to a status; returns the body.
  absl::StatusOr<std::string> Call(const Attempt& attempt, const HttpRequest& request,
                                   const CallOptions& options);
  // As Call, for a request about one object: refuses a key that does not name one.
  absl::StatusOr<std::string> CallItem(const Attempt& attempt, const HttpRequest& request,
                                       const CallOptions& options);

  template <class T>
  absl::StatusOr<T> Put(ObjectKey key, std::string_view subresource, std::string body,
                        const CallOptions& options) {
    const Attempt attempt{"update", T::kResource, std::move(key), subresource};
    return Decode<T>(
        attempt,
        CallItem(attempt, UpdateRequest(T::kResource, attempt.key, subresource, std::move(body)),
                 options));
  }
  template <class T>
  static absl::StatusOr<T> Decode(const Attempt& attempt, absl::StatusOr<std::string> body) {
    RETURN_IF_ERROR(body.status());
    T object;
    if (absl::Status bad = json::Parse(api::WithoutManagedFields(*body), object); !bad.ok()) {
      return Annotate(Annotate(bad, "decode the server's answer"), attempt.ToString());
    }
    return object;
  }

  HttpTransport& transport_;
  Observer& observer_;
};

// All pages of a list, as one quorum read: consistent with the resourceVersion it returns.
template <class T>
absl::StatusOr<ObjectList<T>> ListAll(Client& client, std::string_view ns, ListOptions list = {},
                                      const CallOptions& options = {}) {
  if (list.limit == 0) {
    list.limit = 500;
  }
  ObjectList<T> all;
  do {
    ASSIGN_OR_RETURN(ObjectList<T> page, client.List<T>(ns, list, options));
    list.continue_token = page.metadata.continue_token;
    all.metadata = std::move(page.metadata);
    for (T& item : page.items) {
      all.items.push_back(std::move(item));
    }
  } while (!list.continue_token.empty());
  return all;
}

}  // namespace korder::kube
