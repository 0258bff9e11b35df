// A TokenReview: the API server says whose bearer token this is.
//
//   TokenReview review;
//   review.spec.token = token;
//   ASSIGN_OR_RETURN(review, client.Create(review));
//   if (review.status.authenticated) { review.status.user.username; }
//
// Nothing is stored: the answer of the creation is all there is.
#pragma once

#include <string>

#include "api/core/user_info.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct TokenReview {
  static constexpr ResourceType kResource{.group = "authentication.k8s.io",
                                          .version = "v1",
                                          .plural = "tokenreviews",
                                          .kind = "TokenReview",
                                          .namespaced = false};

  struct Spec {
    std::string token;

    bool operator==(const Spec&) const = default;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("token", self.token);
    }
  };
  struct Status {
    bool authenticated = false;
    UserInfo user;
    std::string error;

    bool operator==(const Status&) const = default;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("authenticated", self.authenticated);
      v("user", self.user);
      v("error", self.error);
    }
  };

  ObjectMeta metadata;
  Spec spec;
  Status status;

  bool operator==(const TokenReview&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "authentication.k8s.io/v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

}  // namespace korder::api
