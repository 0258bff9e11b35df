#include "admission-svc/verdict.h"

#include <utility>

namespace korder::admission {

Verdict Invalid(std::vector<api::FieldError> problems) {
  Verdict verdict;
  std::string message = api::JoinErrors(problems);
  verdict.refusal = Refusal{.code = 422,
                            .reason = "Invalid",
                            .message = std::move(message),
                            .problems = std::move(problems)};
  return verdict;
}

Verdict Forbidden(std::string message) {
  Verdict verdict;
  verdict.refusal =
      Refusal{.code = 403, .reason = "Forbidden", .message = std::move(message), .problems = {}};
  return verdict;
}

Verdict Undecided(std::string_view error_type, std::string message) {
  Verdict verdict;
  verdict.refusal = Refusal{
      .code = 503, .reason = "ServiceUnavailable", .message = std::move(message), .problems = {}};
  verdict.error_type = error_type;
  return verdict;
}

api::AdmissionResponse ToResponse(const api::AdmissionRequest& request, const Verdict& verdict) {
  if (verdict.allowed()) {
    api::AdmissionResponse response = AllowPatched(request, verdict.patch);
    response.warnings = verdict.warnings;
    return response;
  }
  const Refusal& refusal = *verdict.refusal;
  api::AdmissionResponse response = Deny(request, refusal.code, refusal.reason, refusal.message);
  response.warnings = verdict.warnings;
  // kubectl prints causes as a list, under the kind and name given here.
  if (!refusal.problems.empty()) {
    api::StatusDetails& details = response.status->details;
    details.group = request.kind.group;
    details.kind = request.kind.kind;
    details.name = request.name;
    for (const api::FieldError& problem : refusal.problems) {
      details.causes.push_back({.reason = "FieldValueInvalid",
                                .message = api::Render({"", problem.value, problem.rule}),
                                .field = problem.path});
    }
  }
  return response;
}

}  // namespace korder::admission
