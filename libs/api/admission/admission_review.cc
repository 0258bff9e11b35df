#include "api/admission/admission_review.h"

#include <utility>

namespace korder::api {

AdmissionResponse Allow(const AdmissionRequest& request) {
  AdmissionResponse response;
  response.uid = request.uid;
  response.allowed = true;
  return response;
}

AdmissionResponse AllowPatched(const AdmissionRequest& request, std::string patch) {
  AdmissionResponse response = Allow(request);
  if (!patch.empty()) {
    response.patch.value = std::move(patch);
    response.patch_type = "JSONPatch";
  }
  return response;
}

AdmissionResponse Deny(const AdmissionRequest& request, int32_t code, std::string_view reason,
                       std::string_view message) {
  AdmissionResponse response;
  response.uid = request.uid;
  Status& status = response.status.emplace();
  status.status = "Failure";
  status.code = code;
  status.reason = reason;
  status.message = message;
  return response;
}

}  // namespace korder::api
