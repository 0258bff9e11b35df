// Turns a refusal by an API server into a status: the only translator from HTTP in korder.
//
//   if (!IsSuccess(response.status)) {
//     return Annotate(StatusFromHttp(response.status, response.body, response.retry_after),
//                     "get pods/default/web");
//   }
//
// The body's reason decides ("AlreadyExists" and "Conflict" share code 409); the code decides when
// there is no reason that we know. A delay the server asked for travels with the status. Pure.
#pragma once

#include <string_view>

#include "absl/time/time.h"
#include "api/meta/status.h"
#include "base/status.h"

namespace korder::kube {

inline bool IsSuccess(int http_code) { return http_code >= 200 && http_code < 300; }

// `retry_after` is the header's value, zero when there was none. Never OK.
absl::Status StatusFromHttp(int http_code, std::string_view body, absl::Duration retry_after);

// From a Status object that came inside a successful answer: an ERROR event of a watch. Never OK.
absl::Status StatusFromObject(const api::Status& refusal);

}  // namespace korder::kube
