#include "cli/credentials.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/transport.h"

namespace korder::cli {
namespace {

struct TokenResponse {
  struct Status {
    std::string token;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("token", self.token);
    }
  };
  Status status;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("status", self.status);
  }
};

kube::ObjectKey AccountOf(const GlobalOptions& options) {
  const std::string& text = options.service_account;
  if (text.empty()) {
    return {options.system_namespace, kCliAccount};
  }
  const size_t slash = text.find('/');
  return slash == std::string::npos
             ? kube::ObjectKey{options.system_namespace, text}
             : kube::ObjectKey{text.substr(0, slash), text.substr(slash + 1)};
}

// What to do about a refusal.
absl::Status Explained(const absl::Status& status, const kube::ObjectKey& account) {
  const std::string detail(Message(status));
  if (absl::IsNotFound(status)) {
    return FailedPreconditionError(absl::StrCat(
        "there is no ServiceAccount ", account.ToString(),
        " to request a token for: is korder "
        "installed in that namespace? name another one with --service-account NS/NAME, or pass "
        "--token"));
  }
  if (absl::IsPermissionDenied(status)) {
    return PermissionDeniedError(absl::StrCat(
        "your kubeconfig has no token, and you may not request one for ServiceAccount ",
        account.ToString(), ": ", detail,
        "; ask for `create serviceaccounts/token` there, name an "
        "account of yours with --service-account NS/NAME, or pass --token"));
  }
  return Annotate(status, absl::StrCat("request a token for ServiceAccount ", account.ToString()));
}

}  // namespace

TokenSource ChooseToken(const GlobalOptions& options, const kube::ClusterConfig& cluster) {
  if (!options.token.empty()) {
    return {.kind = TokenSource::Kind::kGiven, .token = options.token};
  }
  if (options.service_account.empty() && !cluster.token_file.empty()) {
    return {.kind = TokenSource::Kind::kFile, .file = cluster.token_file};
  }
  if (options.service_account.empty() && !cluster.token.empty()) {
    return {.kind = TokenSource::Kind::kGiven, .token = cluster.token};
  }
  return {.kind = TokenSource::Kind::kRequest, .account = AccountOf(options)};
}

absl::StatusOr<std::string> RequestToken(kube::Client& client, const kube::ObjectKey& account,
                                         absl::Duration timeout) {
  const kube::HttpRequest request{
      .method = "POST",
      .target = absl::StrCat("/api/v1/namespaces/", account.ns, "/serviceaccounts/", account.name,
                             "/token"),
      .content_type = "application/json",
      .body = R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",)"
              R"("spec":{"expirationSeconds":600}})"};
  absl::StatusOr<std::string> body = client.Raw(request, {.timeout = timeout});
  if (!body.ok()) {
    return Explained(body.status(), account);
  }
  TokenResponse response;
  RETURN_IF_ERROR(json::Parse(*std::move(body), response));
  if (response.status.token.empty()) {
    return InternalError("the API server answered a TokenRequest without a token");
  }
  return response.status.token;
}

}  // namespace korder::cli
