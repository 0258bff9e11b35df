#include "admission-svc/admission_handler.h"

#include <exception>
#include <optional>
#include <utility>

#include "api/meta/managed_fields.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace korder::admission {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr std::string_view kReviewVersion = "admission.k8s.io/v1";
constexpr std::string_view kReviewKind = "AdmissionReview";

// An AdmissionReview whose type was not checked yet.
struct Envelope {
  std::string api_version;
  std::string kind;
  std::optional<api::AdmissionRequest> request;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("request", self.request);
  }
};

absl::StatusOr<api::AdmissionRequest> ParseReview(const Route& route, std::string_view body) {
  Envelope envelope;
  RETURN_IF_ERROR(json::Parse(api::WithoutManagedFields(body), envelope));
  if (envelope.api_version != kReviewVersion || envelope.kind != kReviewKind) {
    return InvalidArgumentError("must be an AdmissionReview of admission.k8s.io/v1");
  }
  if (!envelope.request) {
    return InvalidArgumentError("request: is required");
  }
  if (envelope.request->uid.empty()) {
    return InvalidArgumentError("request.uid: is required");
  }
  const api::GroupVersionResource& resource = envelope.request->resource;
  if (resource.group != route.group || resource.resource != route.resource) {
    return InvalidArgumentError("request.resource: " + route.path + " reviews " + route.resource +
                                " of group \"" + route.group + "\" only");
  }
  return *std::move(envelope.request);
}

std::vector<std::string> NamesOf(const std::vector<Route>& routes) {
  std::vector<std::string> names;
  names.reserve(routes.size());
  for (const Route& route : routes) {
    names.push_back(route.resource);
  }
  return names;
}

void Log(const api::AdmissionRequest& request, const Verdict& verdict) {
  if (verdict.allowed()) {
    log::Debug("allowed", {{"resource", request.resource.resource},
                           {"operation", request.operation},
                           {"ns", request.ns},
                           {"name", request.name},
                           {"uid", request.uid},
                           {"patched", !verdict.patch.empty()}});
    return;
  }
  log::Info("refused", {{"resource", request.resource.resource},
                        {"operation", request.operation},
                        {"ns", request.ns},
                        {"name", request.name},
                        {"uid", request.uid},
                        {"user", request.user_info.username},
                        {"dry_run", request.dry_run},
                        {"why", verdict.refusal->message}});
}

}  // namespace

AdmissionHandler::AdmissionHandler(std::vector<Route> routes, prometheus::Registry& registry,
                                   const Clock& clock)
    : routes_(std::move(routes)), clock_(clock), metrics_(registry, NamesOf(routes_)) {}

const Route* AdmissionHandler::FindRoute(std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));  // ?timeout=3s
  for (const Route& route : routes_) {
    if (route.path == path) {
      return &route;
    }
  }
  return nullptr;
}

runtime::HttpServerResponse AdmissionHandler::Handle(const runtime::HttpServerRequest& http) {
  const Route* route = FindRoute(http.target);
  if (route == nullptr) {
    return {404, kText, "not found: there is no webhook at this path\n"};
  }
  if (http.method != "POST") {
    return {405, kText, "only POST\n"};
  }
  const MonoTime begin = clock_.Mono();
  const auto took = [&] { return absl::FromChrono(clock_.Mono() - begin); };
  api::AdmissionRequest request;
  absl::StatusOr<Verdict> verdict = InternalError("not reviewed");
  try {
    if (auto parsed = ParseReview(*route, http.body); parsed.ok()) {
      request = *std::move(parsed);
      verdict = route->review(request);
    } else {
      verdict = parsed.status();
    }
  } catch (const std::exception& e) {
    verdict = InternalError(e.what());
  }
  if (!verdict.ok()) {
    metrics_.Reviewed(route->resource, request.operation, kResultError, took());
    return Fail(*route, request, verdict.status());
  }
  api::AdmissionReview answer;
  answer.response = ToResponse(request, *verdict);
  runtime::HttpServerResponse response{200, kJson, json::Print(answer)};
  Log(request, *verdict);
  if (!verdict->error_type.empty()) {
    metrics_.Error(route->resource, request.operation, verdict->error_type);
  }
  metrics_.Reviewed(route->resource, request.operation,
                    verdict->allowed() ? kResultAllowed : kResultDenied, took());
  return response;
}

runtime::HttpServerResponse AdmissionHandler::Fail(const Route& route,
                                                   const api::AdmissionRequest& request,
                                                   const absl::Status& status) {
  const bool bad = absl::IsInvalidArgument(status);
  metrics_.Error(route.resource, request.operation, bad ? kBadRequest : kInternal);
  log::Warn("review failed",
            {{"path", route.path}, {"uid", request.uid}, {"error", ToString(status)}});
  if (bad) {
    return {400, kText, std::string(Message(status)) + "\n"};
  }
  return {500, kText, "internal error\n"};
}

}  // namespace korder::admission
