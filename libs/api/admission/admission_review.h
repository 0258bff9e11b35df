// What the API server sends to a webhook, and the answer (admission.k8s.io/v1).
//
//   api::AdmissionReview review;
//   RETURN_IF_ERROR(json::Parse(std::move(body), review));
//   review.response = Allow(*review.request);
//   review.request.reset();
//   return json::Print(review);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/user_info.h"
#include "api/meta/bytes.h"
#include "api/meta/status.h"
#include "json/fields.h"

namespace korder::api {

inline constexpr std::string_view kOperationCreate = "CREATE";
inline constexpr std::string_view kOperationUpdate = "UPDATE";
inline constexpr std::string_view kOperationDelete = "DELETE";

struct GroupVersionKind {
  std::string group;
  std::string version;
  std::string kind;

  bool operator==(const GroupVersionKind&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("group", self.group);
    v("version", self.version);
    v("kind", self.kind);
  }
};

struct GroupVersionResource {
  std::string group;
  std::string version;
  std::string resource;

  bool operator==(const GroupVersionResource&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("group", self.group);
    v("version", self.version);
    v("resource", self.resource);
  }
};

struct AdmissionRequest {
  std::string uid;
  GroupVersionKind kind;
  GroupVersionResource resource;
  std::string sub_resource;
  std::string name;  // empty for an object made with generateName that has no name yet
  std::string ns;
  std::string operation;
  UserInfo user_info;
  json::RawValue object;      // empty for DELETE
  json::RawValue old_object;  // empty for CREATE
  bool dry_run = false;

  bool operator==(const AdmissionRequest&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("uid", self.uid);
    v("kind", self.kind);
    v("resource", self.resource);
    v("subResource", self.sub_resource);
    v("name", self.name);
    v("namespace", self.ns);
    v("operation", self.operation);
    v("userInfo", self.user_info);
    v("object", self.object);
    v("oldObject", self.old_object);
    v("dryRun", self.dry_run);
  }
};

struct AdmissionResponse {
  std::string uid;  // the request's
  bool allowed = false;
  std::optional<Status> status;  // why not
  Bytes patch;
  std::string patch_type;  // "JSONPatch" when there is a patch
  std::vector<std::string> warnings;

  bool operator==(const AdmissionResponse&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("uid", self.uid);
    v("allowed", self.allowed);
    v("status", self.status);
    v("patch", self.patch);
    v("patchType", self.patch_type);
    v("warnings", self.warnings);
  }
};

// Carries the request on the way in and the response on the way out.
struct AdmissionReview {
  std::optional<AdmissionRequest> request;
  std::optional<AdmissionResponse> response;

  bool operator==(const AdmissionReview&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "admission.k8s.io/v1");
    v.Constant("kind", "AdmissionReview");
    v("request", self.request);
    v("response", self.response);
  }
};

AdmissionResponse Allow(const AdmissionRequest& request);
// Allows the object as `patch`, a JSON patch, changes it. An empty patch changes nothing.
AdmissionResponse AllowPatched(const AdmissionRequest& request, std::string patch);
// `code` is an HTTP status: 422 for an invalid object, 403 for a forbidden one.
AdmissionResponse Deny(const AdmissionRequest& request, int32_t code, std::string_view reason,
                       std::string_view message);

}  // namespace korder::api
