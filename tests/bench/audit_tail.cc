#include "audit_tail.h"

#include <stdexcept>
#include <string_view>

#include "json/fields.h"

namespace korder::bench {
namespace {

constexpr std::string_view kServiceAccounts = "system:serviceaccount:korder-system:";

struct AuditEvent {
  struct User {
    std::string username;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("username", self.username);
    }
  };
  struct Object {
    std::string group, resource, ns, name, subresource;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("apiGroup", self.group);
      v("resource", self.resource);
      v("namespace", self.ns);
      v("name", self.name);
      v("subresource", self.subresource);
    }
  };
  struct Response {
    int code = 0;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("code", self.code);
    }
  };

  std::string stage, verb;
  User user;
  Object object;
  Response response;
  std::optional<absl::Time> received, at;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("stage", self.stage);
    v("verb", self.verb);
    v("user", self.user);
    v("objectRef", self.object);
    v("responseStatus", self.response);
    v("requestReceivedTimestamp", self.received);
    v("stageTimestamp", self.at);
  }
};

}  // namespace

std::optional<Request> ParseAuditLine(const std::string& line) {
  AuditEvent event;
  if (!json::Parse(line, event).ok() || event.stage != "ResponseComplete" ||
      event.verb == "watch" || !event.at || !event.received) {
    return std::nullopt;
  }
  Request request{.received = *event.received,
                  .at = *event.at,
                  .user = event.user.username,
                  .verb = event.verb,
                  .group = event.object.group,
                  .resource = event.object.resource,
                  .ns = event.object.ns,
                  .name = event.object.name,
                  .code = event.response.code};
  if (request.user.starts_with(kServiceAccounts)) {
    request.user.erase(0, kServiceAccounts.size());
  }
  if (!event.object.subresource.empty()) {
    request.resource += "/" + event.object.subresource;
  }
  return request;
}

AuditTail::AuditTail(const std::string& path) : log_(path) {
  if (!log_) {
    throw std::runtime_error("cannot read the audit log " + path);
  }
  log_.seekg(0, std::ios::end);
}

void AuditTail::Poll() {
  log_.clear();
  std::string part;
  while (std::getline(log_, part)) {
    rest_ += part;
    if (log_.eof()) {
      break;  // without its line feed: more is to come
    }
    if (std::optional<Request> request = ParseAuditLine(rest_)) {
      requests_.push_back(*std::move(request));
    }
    rest_.clear();
  }
}

}  // namespace korder::bench
