#include "kube/testing/fake/refusal.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace korder::kube::fake {
namespace {

Json StatusObject(std::string_view status) {
  Json body;
  body["kind"] = Json::String("Status");
  body["apiVersion"] = Json::String("v1");
  body["metadata"] = Json::EmptyObject();
  body["status"] = Json::String(status);
  return body;
}

HttpResponse Failure(int code, std::string_view reason, std::string_view message,
                     const Json& details = {}) {
  Json body = StatusObject("Failure");
  body["message"] = Json::String(message);
  if (!reason.empty()) {
    body["reason"] = Json::String(reason);
  }
  body["code"] = Json::Int(code);
  if (details.IsObject()) {
    body["details"] = details;
  }
  return {.status = code, .body = json::Print(body)};
}

// "Ticket.core.korder.dev" or "Pod".
std::string Qualified(const ApiCall& call, const std::string& kind) {
  return call.resource.group.empty() ? kind : absl::StrCat(kind, ".", call.resource.group);
}
// "tickets.core.korder.dev" or "pods".
std::string Qualified(const ApiCall& call) { return Qualified(call, call.resource.plural); }

Json Details(const ApiCall& call, std::string_view kind, const std::string& name) {
  Json details;
  details["name"] = Json::String(name);
  if (!call.resource.group.empty()) {
    details["group"] = Json::String(call.resource.group);
  }
  details["kind"] = Json::String(kind);
  return details;
}

std::string_view ReasonOfCode(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "";
  }
}

}  // namespace

HttpResponse OkResponse(const Json& object, int code) {
  return {.status = code, .body = json::Print(object)};
}

HttpResponse OkResponse(const StoredObject& object, int code) {
  return {.status = code, .body = object.Printed()};
}

HttpResponse Success(int code) { return OkResponse(StatusObject("Success"), code); }

HttpResponse Deleted(const ApiCall& call, const std::string& uid) {
  Json body = StatusObject("Success");
  body["details"] = Details(call, call.resource.plural, call.key.name);
  body["details"]["uid"] = Json::String(uid);
  return OkResponse(body);
}

HttpResponse BadRequest(std::string_view message) { return Failure(400, "BadRequest", message); }

HttpResponse NotFound(const ApiCall& call) {
  return Failure(404, "NotFound",
                 absl::StrCat(Qualified(call), " \"", call.key.name, "\" not found"),
                 Details(call, call.resource.plural, call.key.name));
}

HttpResponse NoSuchPath() {
  return Failure(404, "NotFound", "the server could not find the requested resource");
}

HttpResponse MethodNotAllowed() {
  return Failure(405, "MethodNotAllowed",
                 "the server does not allow this method on the requested resource");
}

HttpResponse InternalServerError(std::string_view message) { return Failure(500, "", message); }

HttpResponse AlreadyExists(const ApiCall& call, const std::string& name) {
  return Failure(409, "AlreadyExists",
                 absl::StrCat(Qualified(call), " \"", name, "\" already exists"),
                 Details(call, call.resource.plural, name));
}

HttpResponse Conflict(const ApiCall& call, std::string_view why) {
  return Failure(409, "Conflict",
                 absl::StrCat("Operation cannot be fulfilled on ", Qualified(call), " \"",
                              call.key.name, "\": ", std::string(why)),
                 Details(call, call.resource.plural, call.key.name));
}

HttpResponse PreconditionFailed(const ApiCall& call, const std::string& kind,
                                std::string_view why) {
  return Failure(409, "Conflict",
                 absl::StrCat("Operation cannot be fulfilled on ", Qualified(call, kind), " \"",
                              call.key.name, "\": ", std::string(why)),
                 Details(call, kind, call.key.name));
}

HttpResponse StaleVersion(const ApiCall& call) {
  return Conflict(call,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

HttpResponse UnsupportedMediaType() {
  return Failure(415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format - accepted media types include: "
                 "application/json-patch+json, application/merge-patch+json, "
                 "application/apply-patch+yaml");
}

HttpResponse Expired(std::string_view message) { return Failure(410, "Expired", message); }

HttpResponse Scripted(int code) {
  return Failure(code, ReasonOfCode(code), "refused because a test asked for it");
}

HttpResponse Invalid(const ApiCall& call, const std::string& kind, const std::string& name,
                     const std::vector<Cause>& causes) {
  std::vector<std::string> texts;
  Json::Array list;
  for (const Cause& cause : causes) {
    texts.push_back(absl::StrCat(cause.field, ": ", cause.message));
    Json& item = list.emplace_back();
    item["reason"] = Json::String(cause.reason);
    item["field"] = Json::String(cause.field);
    item["message"] = Json::String(cause.message);
  }
  const std::string all =
      texts.size() == 1 ? texts[0] : absl::StrCat("[", absl::StrJoin(texts, ", "), "]");
  Json details = Details(call, kind, name);
  details["causes"] = Json::Of(std::move(list));
  return Failure(422, "Invalid",
                 absl::StrCat(Qualified(call, kind), " \"", name, "\" is invalid: ", all), details);
}

HttpResponse UnprocessablePatch(std::string_view why) {
  Json cause;
  cause["reason"] = Json::String("UnexpectedServerResponse");
  cause["message"] = Json::String(why);
  Json details;
  details["causes"] = Json::Of(Json::Array{cause});
  return Failure(422, "Invalid", "the server rejected our request due to an error in our request",
                 details);
}

}  // namespace korder::kube::fake
