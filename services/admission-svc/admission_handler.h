// The HTTPS side of the webhooks: AdmissionReview (admission.k8s.io/v1) in and out.
//
//   AdmissionHandler handler({{.path = "/validate/orders", .group = "core.korder.dev",
//                              .resource = "orders", .review = [&](const auto& request) {...}}},
//                            metrics.registry(), clock);
//   HttpServer server({.listen = ..., .tls = tls}, [&](const auto& r) { return handler.Handle(r);
//   });
//
// A body that is no such review, or is about another resource than its path, gets 400 with what is
// wrong; an unknown path 404; another method 405. A verdict, yes or no, is always a 200.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admission-svc/verdict.h"
#include "admission-svc/webhook_metrics.h"
#include "api/admission/admission_review.h"
#include "base/clock.h"
#include "base/status.h"
#include "runtime/http_server.h"

namespace korder::admission {

struct Route {
  std::string path;
  std::string group;
  std::string resource;  // also the label "webhook" in metrics
  // INVALID_ARGUMENT becomes a 400, any other error a 500.
  std::function<absl::StatusOr<Verdict>(const api::AdmissionRequest&)> review;
};

// Thread-safe if the routes are.
class AdmissionHandler {
 public:
  // Borrows registry and clock.
  AdmissionHandler(std::vector<Route> routes, prometheus::Registry& registry, const Clock& clock);

  runtime::HttpServerResponse Handle(const runtime::HttpServerRequest& request);

 private:
  const Route* FindRoute(std::string_view target) const;
  // Counts what went wrong and says so.
  runtime::HttpServerResponse Fail(const Route& route, const api::AdmissionRequest& request,
                                   const absl::Status& status);

  const std::vector<Route> routes_;
  const Clock& clock_;
  WebhookMetrics metrics_;
};

}  // namespace korder::admission
