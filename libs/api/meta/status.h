// The body of a refusal by an API server (metav1.Status).
//
//   api::Status status;
//   if (json::Parse(body, status).ok() && status.reason == "AlreadyExists") { ... }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta/list_meta.h"
#include "json/fields.h"

namespace korder::api {

struct StatusCause {
  std::string reason;
  std::string message;
  std::string field;

  bool operator==(const StatusCause&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("reason", self.reason);
    v("message", self.message);
    v("field", self.field);
  }
};

struct StatusDetails {
  std::string name;
  std::string group;
  std::string kind;
  std::string uid;
  std::vector<StatusCause> causes;
  std::optional<int32_t> retry_after_seconds;

  bool operator==(const StatusDetails&) const = default;
  friend bool IsEmptyJson(const StatusDetails& details) { return details == StatusDetails{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("group", self.group);
    v("kind", self.kind);
    v("uid", self.uid);
    v("causes", self.causes);
    v("retryAfterSeconds", self.retry_after_seconds);
  }
};

struct Status {
  ListMeta metadata;
  std::string status;  // "Success" or "Failure"
  std::string message;
  std::string reason;  // "NotFound", "Conflict"...
  StatusDetails details;
  int32_t code = 0;

  bool operator==(const Status&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", "Status");
    v("metadata", self.metadata);
    v("status", self.status);
    v("message", self.message);
    v("reason", self.reason);
    v("details", self.details);
    v("code", self.code);
  }
};

}  // namespace korder::api
