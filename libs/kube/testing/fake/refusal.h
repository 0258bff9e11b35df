// The answers of an API server that are not an object: metav1.Status, as the real server words it.
//
//   return NotFound(call);   // 404 `tickets.core.korder.dev "web-1" not found`
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/json_value.h"
#include "kube/testing/fake/object_store.h"
#include "kube/transport.h"

namespace korder::kube::fake {

HttpResponse OkResponse(const Json& object, int code = 200);
HttpResponse OkResponse(const StoredObject& object, int code = 200);
// For an act that makes no object.
HttpResponse Success(int code);
// What DELETE answers when the object is gone.
HttpResponse Deleted(const ApiCall& call, const std::string& uid);

HttpResponse BadRequest(std::string_view message);
HttpResponse NotFound(const ApiCall& call);
// For a path that leads nowhere.
HttpResponse NoSuchPath();
HttpResponse MethodNotAllowed();
// 500, for a mistake of the client that the server takes for its own.
HttpResponse InternalServerError(std::string_view message);
HttpResponse AlreadyExists(const ApiCall& call, const std::string& name);
// 409: the world is not as the request assumes.
HttpResponse Conflict(const ApiCall& call, std::string_view why);
// The same as a deletion words it.
HttpResponse PreconditionFailed(const ApiCall& call, const std::string& kind, std::string_view why);
// 409 because the object has a newer version than the request was based on.
HttpResponse StaleVersion(const ApiCall& call);
HttpResponse UnsupportedMediaType();
// 410: the version asked for is no longer there.
HttpResponse Expired(std::string_view message);
// A refusal that a test asked for.
HttpResponse Scripted(int code);

// One thing that is wrong with an object.
struct Cause {
  std::string reason;  // "FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"
  std::string field;
  std::string message;
};
// 422 with all of them.
HttpResponse Invalid(const ApiCall& call, const std::string& kind, const std::string& name,
                     const std::vector<Cause>& causes);
// 422: a patch that cannot be applied.
HttpResponse UnprocessablePatch(std::string_view why);

}  // namespace korder::kube::fake
