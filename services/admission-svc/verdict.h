// What a webhook decided about one request, and the answer the API server gets for it.
//
//   Verdict verdict = Invalid(problems);
//   api::AdmissionResponse response = ToResponse(request, verdict);
//
// A verdict is about the object. That a request could not be read at all is a status instead
// (INVALID_ARGUMENT), and becomes a plain HTTP 400.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/admission/admission_review.h"
#include "api/value/field_error.h"

namespace korder::admission {

struct Refusal {
  int32_t code = 403;  // the HTTP status that the user's request ends with
  std::string reason;  // "Invalid", "Forbidden", "ServiceUnavailable"
  std::string message;
  std::vector<api::FieldError> problems;  // one line each in kubectl's output

  bool operator==(const Refusal&) const = default;
};

// Values of Verdict::error_type: the service gave no answer where one was wanted.
inline constexpr std::string_view kQuotaUnavailable = "quota_unavailable";
inline constexpr std::string_view kTicketUnavailable = "ticket_unavailable";

struct Verdict {
  std::optional<Refusal> refusal;
  std::string patch;  // a JSON patch; empty = the object stays as it is
  std::vector<std::string> warnings;
  // What went wrong on the way to the verdict, as metrics name it: one of those below, or "".
  std::string error_type;

  bool allowed() const { return !refusal.has_value(); }
  bool operator==(const Verdict&) const = default;
};

// Refuses an object for what is wrong with its fields. REQUIRES: there is a problem.
Verdict Invalid(std::vector<api::FieldError> problems);
// Refuses a valid object because somebody with a say in it said no.
Verdict Forbidden(std::string message);
// Refuses because somebody who was needed for the decision did not answer.
Verdict Undecided(std::string_view error_type, std::string message);

api::AdmissionResponse ToResponse(const api::AdmissionRequest& request, const Verdict& verdict);

}  // namespace korder::admission
