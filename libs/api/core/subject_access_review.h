// A SubjectAccessReview: the API server says whether its authorizers (RBAC) let somebody do
// something.
//
//   SubjectAccessReview review;
//   review.spec = {.resource = {.verb = "get", .group = "core.korder.dev", .resource = "quotas"},
//                  .user = "jane", .groups = {"system:authenticated"}};
//   ASSIGN_OR_RETURN(review, client.Create(review));
//   if (review.status.allowed) { ... }
//
// Nothing is stored: the answer of the creation is all there is.
#pragma once

#include <string>
#include <vector>

#include "api/core/token_review.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

// What somebody wants to do.
struct ResourceAttributes {
  std::string verb;
  std::string group;
  std::string resource;  // "quotas", plural
  std::string ns;
  std::string name;

  bool operator==(const ResourceAttributes&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("verb", self.verb);
    v("group", self.group);
    v("resource", self.resource);
    v("namespace", self.ns);
    v("name", self.name);
  }
};

struct SubjectAccessReview {
  static constexpr ResourceType kResource{.group = "authorization.k8s.io",
                                          .version = "v1",
                                          .plural = "subjectaccessreviews",
                                          .kind = "SubjectAccessReview",
                                          .namespaced = false};

  struct Spec {
    ResourceAttributes resource;
    std::string user;
    std::vector<std::string> groups;
    std::string uid;
    UserExtra extra;

    bool operator==(const Spec&) const = default;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("resourceAttributes", self.resource);
      v("user", self.user);
      v("groups", self.groups);
      v("uid", self.uid);
      v("extra", self.extra);
    }
  };
  struct Status {
    bool allowed = false;
    std::string reason;

    bool operator==(const Status&) const = default;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("allowed", self.allowed);
      v("reason", self.reason);
    }
  };

  ObjectMeta metadata;
  Spec spec;
  Status status;

  bool operator==(const SubjectAccessReview&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "authorization.k8s.io/v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

}  // namespace korder::api
