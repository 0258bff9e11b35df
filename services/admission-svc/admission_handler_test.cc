#include "admission-svc/admission_handler.h"

#include <prometheus/registry.h>
#include <random>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <prometheus/text_serializer.h>

#include "admission-svc/testing/requests.h"
#include "api/core/pod.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/order.h"
#include "base/testing/fake_clock.h"

namespace korder::admission {
namespace {

using api::FromJson;

struct Fixture {
  FakeClock clock;
  prometheus::Registry registry;
  absl::StatusOr<Verdict> answer = Verdict{};
  std::vector<api::AdmissionRequest> reviewed;
  AdmissionHandler handler{
      {{.path = "/validate/orders",
        .group = "core.korder.dev",
        .resource = "orders",
        .review = [this](const api::AdmissionRequest& request) -> absl::StatusOr<Verdict> {
          reviewed.push_back(request);
          if (request.name == "throw") {
            throw std::runtime_error("boom");
          }
          clock.Advance(absl::Milliseconds(2));
          return answer;
        }}},
      registry,
      clock};

  runtime::HttpServerResponse Post(const std::string& body,
                                   const std::string& target = "/validate/orders?timeout=3s") {
    return handler.Handle({"POST", target, body});
  }
  // The value of one series in the exposition text.
  std::string Sample(const std::string& series) {
    const std::string text = prometheus::TextSerializer().Serialize(registry.Collect());
    const size_t at = text.find(series + " ");
    if (at == std::string::npos) {
      return "none";
    }
    const size_t begin = at + series.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

std::string Body(const api::AdmissionRequest& request) {
  api::AdmissionReview review;
  review.request = request;
  return json::Print(review);
}

api::AdmissionRequest OrderRequest() {
  auto request = CreateRequest<api::Order>(R"({"metadata":{"name":"web"}})");
  request.name = "web";
  return request;
}

TEST_CASE("handler: a yes carries the request's uid, patch and warnings", "[handler]") {
  Fixture f;
  f.answer->patch = "[]";
  f.answer->warnings = {"careful"};
  const auto response = f.Post(Body(OrderRequest()));
  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  const auto review = FromJson<api::AdmissionReview>(response.body);
  CHECK_FALSE(review.request.has_value());
  CHECK(review.response->uid == "705ab4f5");
  CHECK(review.response->allowed);
  CHECK(review.response->patch.value == "[]");
  CHECK(review.response->patch_type == "JSONPatch");
  CHECK(review.response->warnings == std::vector<std::string>{"careful"});
  REQUIRE(f.reviewed.size() == 1);
  CHECK(f.reviewed[0] == OrderRequest());
}

TEST_CASE("handler: a no says why, field by field", "[handler]") {
  Fixture f;
  f.answer = Invalid({{"spec.replicas", "-1", "must be 0 or more"}, {"spec.selector", "", "no"}});
  const auto response = f.Post(Body(OrderRequest()));
  CHECK(response.status == 200);
  const auto review = FromJson<api::AdmissionReview>(response.body);
  CHECK_FALSE(review.response->allowed);
  const api::Status& status = *review.response->status;
  CHECK(status.code == 422);
  CHECK(status.message == "spec.replicas: \"-1\": must be 0 or more; spec.selector: no");
  CHECK(status.details.kind == "Order");
  CHECK(status.details.name == "web");
  REQUIRE(status.details.causes.size() == 2);
  CHECK(status.details.causes[0] ==
        api::StatusCause{"FieldValueInvalid", "\"-1\": must be 0 or more", "spec.replicas"});
}

TEST_CASE("handler: what is no review for this path gets a clear 400", "[handler]") {
  struct Case {
    const char* name;
    std::string body;
    const char* want;
  };
  auto pod = CreateRequest<api::Pod>("{}");
  auto nameless = OrderRequest();
  nameless.uid = "";
  const Case cases[] = {
      {"nothing", "", ""},
      {"no JSON", "<html>", ""},
      {"cut short", Body(OrderRequest()).substr(0, 100), ""},
      {"an array", "[]", "expected an object"},
      {"another kind", R"({"apiVersion":"v1","kind":"Pod"})", "admission.k8s.io/v1"},
      {"an old version", R"({"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"})",
       "admission.k8s.io/v1"},
      {"no request", R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"})",
       "request: is required"},
      {"no uid", Body(nameless), "request.uid: is required"},
      {"a request of the wrong type",
       R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":7})", "request"},
      {"another resource", Body(pod), "reviews orders"},
      {"deep nesting", std::string(100000, '['), ""},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Fixture f;
      const auto response = f.Post(c.body);
      CHECK(response.status == 400);
      INFO(response.body);
      CHECK(response.body.size() > 1);
      CHECK(response.body.find(c.want) != std::string::npos);
      CHECK(f.reviewed.empty());
      CHECK(f.Sample(R"(korder_webhook_errors_total{error_type="bad_request",operation="OTHER",)"
                     R"(webhook="orders"})") == "1");
    }
  }
}

TEST_CASE("handler: 10,000 mangled reviews never crash it and get a 200 or a clear 4xx",
          "[handler]") {
  Fixture f;
  const std::string good = Body(OrderRequest());
  std::minstd_rand random(7);
  int refused = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string body = good;
    for (unsigned n = random() % 4 + 1; n > 0; --n) {
      const size_t at = random() % body.size();
      switch (random() % 4) {
        case 0:
          body[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          body.erase(at, random() % 16);
          break;
        case 2:
          body.insert(at, 1, "{}[]\",:\\0"[random() % 9]);
          break;
        default:
          body.insert(at, body.substr(random() % body.size(), random() % 32));
      }
      body += body.empty() ? "x" : "";
    }
    const int status = f.Post(body).status;
    CHECKED_ELSE((status == 200 || status == 400)) { FAIL("status " << status << ": " << body); }
    refused += status == 400 ? 1 : 0;
  }
  CHECK(refused > 5000);
}

TEST_CASE("handler: unknown paths and other methods", "[handler]") {
  Fixture f;
  CHECK(f.Post(Body(OrderRequest()), "/validate/pods").status == 404);
  CHECK(f.Post(Body(OrderRequest()), "/validate/orders/").status == 404);
  CHECK(f.Post("", "").status == 404);
  CHECK(f.handler.Handle({"GET", "/validate/orders", ""}).status == 405);
  CHECK(f.reviewed.empty());
}

TEST_CASE("handler: a webhook that fails is a 500 without details, and the next one is served",
          "[handler]") {
  Fixture f;
  auto request = OrderRequest();
  request.name = "throw";
  const auto response = f.Post(Body(request));
  CHECK(response.status == 500);
  CHECK(response.body.find("boom") == std::string::npos);
  CHECK(f.Post(Body(OrderRequest())).status == 200);
  CHECK(f.Sample(R"(korder_webhook_errors_total{error_type="internal",operation="CREATE",)"
                 R"(webhook="orders"})") == "1");
}

TEST_CASE("handler: a webhook that cannot read its object is a 400", "[handler]") {
  Fixture f;
  f.answer = InvalidArgumentError("request.object: spec: expected an object, got a number");
  const auto response = f.Post(Body(OrderRequest()));
  CHECK(response.status == 400);
  CHECK(response.body == "request.object: spec: expected an object, got a number\n");
}

TEST_CASE("handler: every review is counted with its time", "[handler]") {
  Fixture f;
  const auto count = [&](const std::string& operation, const std::string& result) {
    return f.Sample("korder_webhook_duration_seconds_count{operation=\"" + operation +
                    "\",result=\"" + result + "\",webhook=\"orders\"}");
  };
  CHECK(count("UPDATE", "denied") == "0");  // there from the start
  f.Post(Body(OrderRequest()));
  f.answer = Forbidden("no");
  f.Post(Body(OrderRequest()));
  f.answer = Undecided(kTicketUnavailable, "no");
  auto strange = OrderRequest();
  strange.operation = "CONNECT";
  f.Post(Body(strange));
  CHECK(count("CREATE", "allowed") == "1");
  CHECK(count("CREATE", "denied") == "1");
  CHECK(count("OTHER", "denied") == "1");
  CHECK(f.Sample(R"(korder_webhook_errors_total{error_type="ticket_unavailable",)"
                 R"(operation="OTHER",webhook="orders"})") == "1");
  CHECK(f.Sample(R"(korder_webhook_duration_seconds_bucket{operation="CREATE",)"
                 R"(result="allowed",webhook="orders",le="0.001"})") == "0");
  CHECK(f.Sample(R"(korder_webhook_duration_seconds_bucket{operation="CREATE",)"
                 R"(result="allowed",webhook="orders",le="0.0025"})") == "1");
}

}  // namespace
}  // namespace korder::admission
