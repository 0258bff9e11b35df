#include "cli/explain.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "runtime/version.h"

namespace korder::cli {
namespace {

// gRPC's words, with those of OpenSSL in them.
bool IsCertificateProblem(std::string_view detail) {
  for (const std::string_view word :
       {"CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "Ssl handshake failed",
        "Peer name", "Hostname Verification", "Invalid cert chain", "WRONG_VERSION_NUMBER"}) {
    if (detail.find(word) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

// Without what gRPC says of every failed connection.
std::string_view Essence(std::string_view detail) {
  constexpr std::string_view kBefore = "last error: ";
  const size_t at = detail.find(kBefore);
  return at == std::string_view::npos ? detail : detail.substr(at + kBefore.size());
}

std::string Unreachable(std::string_view detail, const Asked& asked) {
  if (IsCertificateProblem(detail)) {
    return absl::StrCat("what answers at ", asked.where, " does not prove to be korder's ",
                        asked.service, ": ", std::string(detail),
                        "; is the address right? a CA of your own goes into --ca-file");
  }
  if (detail.find("backend unhealthy") != std::string_view::npos) {
    return absl::StrCat("korder's ", asked.service, " runs at ", asked.where,
                        ", but none of its replicas there ",
                        asked.service == "quota-svc" ? "leads" : "is ready",
                        " at the moment; try again in some "
                        "seconds, or see: kubectl -n ",
                        asked.system_namespace, " get pods,leases");
  }
  return absl::StrCat("korder's ", asked.service, " does not answer at ", asked.where, ": ",
                      std::string(detail), "; is korder running? try: kubectl -n ",
                      asked.system_namespace, " get pods",
                      asked.service == "quota-svc" ? ", or pass --server" : "");
}

}  // namespace

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) && !IsCertificateProblem(Message(status));
}

absl::Status Explain(const absl::Status& status, const Asked& asked) {
  const std::string detail(Message(status));
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return UnavailableError(Unreachable(Essence(detail), asked));
    case absl::StatusCode::kDeadlineExceeded:
      return DeadlineExceededError(Unreachable(Essence(detail), asked) +
                                   "; or allow it more --timeout");
    case absl::StatusCode::kUnauthenticated:
      return UnauthenticatedError(absl::StrCat(
          "korder does not accept your token: ", detail,
          "; log in again, pass --token, or let one be requested with --service-account NS/NAME"));
    case absl::StatusCode::kPermissionDenied:
      return PermissionDeniedError(absl::StrCat("not allowed: ", detail, "; ask for `",
                                                asked.permission,
                                                "`, which ClusterRole korder-viewer grants"));
    case absl::StatusCode::kUnimplemented:
      return FailedPreconditionError(
          absl::StrCat(asked.service, " at ", asked.where, " does not know this question (", detail,
                       "): it is older than this korderctl ", std::string(runtime::Version()),
                       "; upgrade korder"));
    default:
      return status;
  }
}

}  // namespace korder::cli
