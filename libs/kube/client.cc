#include "kube/client.h"

#include "absl/strings/ascii.h"
#include "base/clock.h"
#include "kube/api_error.h"

namespace korder::kube {
namespace {

// Measures one exchange and reports it.
class Measured {
 public:
  Measured(Observer& observer, std::string_view verb, std::string_view resource)
      : observer_(observer), verb_(verb), resource_(resource), start_(clock_.Mono()) {}

  // `code` is 0 when there was no answer.
  void Report(int code) {
    observer_.Request(verb_, resource_, code, absl::FromChrono(clock_.Mono() - start_));
  }

 private:
  const SystemClock clock_;
  Observer& observer_;
  const std::string_view verb_;
  const std::string_view resource_;
  const MonoTime start_;
};

// Performs the exchange; a refusal becomes a status without a prefix.
absl::StatusOr<std::string> Exchange(HttpTransport& transport, const HttpRequest& request,
                                     const CallOptions& options, Measured measured) {
  absl::StatusOr<HttpResponse> response = transport.Do(request, options);
  measured.Report(response.ok() ? response->status : 0);
  RETURN_IF_ERROR(response.status());
  if (!IsSuccess(response->status)) {
    return StatusFromHttp(response->status, response->body, response->retry_after);
  }
  return std::move(response->body);
}

}  // namespace

Client::Client(HttpTransport& transport, Observer& observer)
    : transport_(transport), observer_(observer) {}

std::string Client::Attempt::ToString() const {
  std::string text(verb);
  text += ' ';
  text += resource.plural;
  for (const std::string_view part :
       {std::string_view(key.ns), std::string_view(key.name), subresource}) {
    if (!part.empty()) {
      text += '/';
      text += part;
    }
  }
  return text;
}

absl::StatusOr<std::string> Client::Call(const Attempt& attempt, const HttpRequest& request,
                                         const CallOptions& options) {
  absl::StatusOr<std::string> body = Exchange(
      transport_, request, options, Measured(observer_, attempt.verb, attempt.resource.plural));
  if (!body.ok()) {
    return Annotate(body.status(), attempt.ToString());
  }
  return body;
}

absl::StatusOr<std::string> Client::CallItem(const Attempt& attempt, const HttpRequest& request,
                                             const CallOptions& options) {
  if (const absl::Status bad = CheckKey(attempt.resource, attempt.key); !bad.ok()) {
    return Annotate(bad, attempt.ToString());
  }
  return Call(attempt, request, options);
}

absl::StatusOr<std::string> Client::ListText(const api::ResourceType& resource, std::string_view ns,
                                             const ListOptions& list, const CallOptions& options) {
  return Call({"list", resource, {std::string(ns), ""}}, ListRequest(resource, ns, list), options);
}

absl::StatusOr<std::unique_ptr<ByteStream>> Client::Watch(const api::ResourceType& resource,
                                                          std::string_view ns,
                                                          const WatchOptions& watch,
                                                          const CallOptions& options) {
  const Attempt attempt{"watch", resource, {std::string(ns), ""}};
  Measured measured(observer_, attempt.verb, resource.plural);
  absl::StatusOr<StreamResponse> response =
      transport_.Open(WatchRequest(resource, ns, watch), options);
  measured.Report(response.ok() ? response->status : 0);
  if (!response.ok()) {
    return Annotate(response.status(), attempt.ToString());
  }
  if (!IsSuccess(response->status)) {
    return Annotate(StatusFromHttp(response->status, response->error_body, response->retry_after),
                    attempt.ToString());
  }
  return std::move(response->body);
}

absl::StatusOr<std::string> Client::Raw(const HttpRequest& request, const CallOptions& options) {
  const std::string verb = absl::AsciiStrToLower(request.method);
  absl::StatusOr<std::string> body =
      Exchange(transport_, request, options, Measured(observer_, verb, "raw"));
  if (!body.ok()) {
    return Annotate(body.status(), verb + " " + request.target);
  }
  return body;
}

}  // namespace korder::kube
