// The OrderPlanner over TLS: what is answered, and to whom.
#include "order-svc/planner_service.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"
#include "base/testing/fake_clock.h"
#include "kube/client.h"
#include "runtime/grpc_client.h"
#include "runtime/metrics.h"
#include "runtime/testing/reviewing_api_server.h"
#include "runtime/testing/test_certs.h"

namespace korder::order {
namespace {

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 5, 4, 14, 48, 0), absl::UTCTimeZone());

std::string OrderJson(const std::string& ns = "ml", int replicas = 3) {
  return absl::StrCat(R"({"metadata":{"name":"nightly","namespace":")", ns,
                      R"("},"spec":{"replicas":)", replicas,
                      R"(,"strategy":{"type":"Scheduled","schedule":"0 18 * * *"},
          "template":{"spec":{"duration":"8h","resources":{"requests":{"cpu":"500m"}}}}}})");
}

struct Fixture {
  Fixture() {
    server.AddService(&service);
    REQUIRE(server.Start().ok());
    person = runtime::NewChannel({.address = "127.0.0.1:" + std::to_string(server.port()),
                                  .peer = "korder-order-svc",
                                  .tls = {.ca = ca.Issue("x").ca}});
    // The thread that asks the API server has begun when "nobody" is answered.
    for (int i = 0; i < 1000 && absl::IsUnavailable(Calendar("nobody", "", {})); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  absl::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
                    const std::vector<std::string>& named, const pb::PreviewRequest& request) {
    grpc::ClientContext context;
    Prepare(context, token, named);
    preview.Clear();
    return runtime::FromGrpcStatus(
        pb::OrderPlanner::NewStub(channel)->Preview(&context, request, &preview), "preview");
  }
  absl::Status Preview(const std::string& token, const std::string& ns,
                       const std::vector<std::string>& named) {
    pb::PreviewRequest request;
    request.set_namespace_(ns);
    request.set_order_json(OrderJson(ns));
    return Call(person, token, named, request);
  }
  // As jane, who may everything.
  absl::Status Preview(const pb::PreviewRequest& request) {
    return Call(person, "jane", {request.namespace_()}, request);
  }
  absl::Status Calendar(const std::string& token, const std::string& ns,
                        const std::vector<std::string>& named, pb::CalendarRequest request = {}) {
    grpc::ClientContext context;
    Prepare(context, token, named);
    request.set_namespace_(ns);
    calendar.Clear();
    return runtime::FromGrpcStatus(
        pb::OrderPlanner::NewStub(person)->Calendar(&context, request, &calendar), "calendar");
  }
  static void Prepare(grpc::ClientContext& context, const std::string& token,
                      const std::vector<std::string>& named) {
    runtime::SetDeadline(context, absl::Seconds(20));
    if (!token.empty()) {
      context.AddMetadata("authorization", "Bearer " + token);
    }
    for (const std::string& ns : named) {
      context.AddMetadata(runtime::kNamespaceMetadata, ns);
    }
  }
  void Store(const std::string& ns, const std::string& name) {
    api::Order order = api::FromJson<api::Order>(OrderJson(ns));
    order.metadata.name = name;
    orders.Put(std::make_shared<const api::Order>(std::move(order)));
  }

  runtime::TestCa ca;
  runtime::ReviewingApiServer api_server{
      {.knows = {"jane", "joe", "ann"}, .may = {"jane"}, .may_in = {{"ann", {"ml"}}}}};
  kube::Client client{api_server};
  SystemClock system_clock;
  FakeClock clock{kNow};
  runtime::UserAccess users{client, system_clock, PlannerUserAccess()};
  std::jthread run{[this](std::stop_token stop) { users.Run(stop); }};
  kube::Store<api::Order> orders;
  std::vector<NodePtr> nodes;
  std::atomic<int> asked = 0;
  std::vector<runtime::LedgerQuestion> questions;
  std::function<absl::StatusOr<runtime::LedgerForecast>(const runtime::LedgerQuestion&)> answer =
      [](const runtime::LedgerQuestion& question) {
        return runtime::LedgerForecast{.fitting_tickets = question.tickets};
      };
  PlannerService service{orders, [this] { return nodes; },
                         [this](const runtime::LedgerQuestion& question, std::stop_token) {
                           ++asked;
                           questions.push_back(question);
                           return answer(question);
                         },
                         clock};
  runtime::Metrics metrics{"order-svc"};
  runtime::GrpcServer server{{.listen = "127.0.0.1:0",
                              .tls = ca.Issue("korder-order-svc"),
                              .allow = PlannerAllowList(),
                              .user_methods = PlannerUserMethods(),
                              .users = &users},
                             metrics};
  std::shared_ptr<grpc::Channel> person;
  pb::PreviewResponse preview;
  pb::CalendarResponse calendar;
};

TEST_CASE("planner service: who may list the orders of a namespace may ask there, and nowhere else",
          "[planner][grpc]") {
  Fixture f;
  using Named = std::vector<std::string>;
  constexpr auto kOk = absl::StatusCode::kOk;
  constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
  constexpr auto kNobody = absl::StatusCode::kUnauthenticated;
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  struct Case {
    std::string token;
    std::string ns;  // of the request
    Named named;     // in the metadata
    absl::StatusCode preview;
    absl::StatusCode calendar;
  };
  const Case cases[] = {
      {"jane", "ml", {"ml"}, kOk, kOk},
      {"jane", "web", {"web"}, kOk, kOk},
      {"jane", "", {}, kInvalid, kOk},  // a preview needs a namespace
      {"jane", "", {""}, kInvalid, kOk},
      {"jane", "ml", {}, kDenied, kDenied},  // what was named is not what is asked
      {"jane", "", {"ml"}, kDenied, kDenied},
      {"ann", "ml", {"ml"}, kOk, kOk},
      {"ann", "web", {"web"}, kDenied, kDenied},
      {"ann", "web", {"ml"}, kDenied, kDenied},
      {"ann", "ml", {"web"}, kDenied, kDenied},
      {"ann", "", {"ml"}, kDenied, kDenied},
      {"ann", "", {}, kDenied, kDenied},
      {"ann", "ml", {}, kDenied, kDenied},
      {"ann", "web", {"ml", "web"}, kInvalid, kInvalid},  // one would be checked, the other read
      {"ann", "ml", {"ml", "ml"}, kInvalid, kInvalid},
      {"ann", "ml,web", {"ml,web"}, kInvalid, kInvalid},
      {"joe", "ml", {"ml"}, kDenied, kDenied},
      {"joe", "", {}, kDenied, kDenied},
      {"made-up", "ml", {"ml"}, kNobody, kNobody},
      {"", "ml", {"ml"}, kNobody, kNobody},
  };
  for (const Case& c : cases) {
    INFO(c.token << " asks about \"" << c.ns << "\" and names "
                 << Catch::StringMaker<Named>::convert(c.named));
    CHECK(f.Preview(c.token, c.ns, c.named).code() == c.preview);
    CHECK(f.Calendar(c.token, c.ns, c.named).code() == c.calendar);
  }
}

TEST_CASE("planner service: no certificate of a service opens it", "[planner][grpc]") {
  Fixture f;
  pb::PreviewRequest request;
  request.set_namespace_("ml");
  request.set_order_json(OrderJson());
  for (const std::string peer : {"korder-admission-svc", "korder-ticket-svc", "korder-order-svc"}) {
    const auto channel =
        runtime::NewChannel({.address = "127.0.0.1:" + std::to_string(f.server.port()),
                             .peer = "korder-order-svc",
                             .tls = f.ca.Issue(peer)});
    CHECK(absl::IsPermissionDenied(f.Call(channel, "", {"ml"}, request)));
  }
}

TEST_CASE("planner service: a preview tells windows, verdicts and nodes", "[planner][grpc]") {
  Fixture f;
  f.nodes = {std::make_shared<const api::Node>(api::FromJson<api::Node>(
      R"({"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"4","pods":"110"}}})"))};
  f.answer = [](const runtime::LedgerQuestion& question) {
    runtime::LedgerForecast forecast{.fitting_tickets = 2, .quotas = {"team"}};
    forecast.denials = {{.quota = "team",
                         .resource = "tickets",
                         .message = "quota team: tickets: requested 3, used 8 of 10",
                         .next_change = *question.time + absl::Hours(1),
                         .requested = "3",
                         .used = "8",
                         .limit = "10"}};
    return forecast;
  };
  pb::PreviewRequest request;
  request.set_namespace_("ml");
  request.set_order_json(OrderJson());
  request.set_windows(2);
  REQUIRE(f.Preview(request).ok());
  CHECK(f.preview.strategy() == "Scheduled");
  CHECK(f.preview.schedule() == "0 18 * * *");
  CHECK(f.preview.time_zone() == "UTC");
  CHECK(f.preview.refresh_policy() == "OnClaim");
  CHECK(f.preview.requests().at("cpu") == "500m");
  CHECK(f.preview.duration().seconds() == 8 * 3600);
  REQUIRE(f.preview.windows_size() == 2);
  const pb::PreviewWindow& window = f.preview.windows(0);
  const absl::Time start = absl::FromUnixSeconds(window.start().seconds());
  CHECK(start == kNow + absl::Minutes(192));
  CHECK(window.end().seconds() - window.start().seconds() == 8 * 3600);
  CHECK(window.prepare_time().seconds() == window.start().seconds());
  CHECK(window.tickets() == 3);
  CHECK(window.quota().fitting_tickets() == 2);
  REQUIRE(window.quota().denials_size() == 1);
  CHECK(window.quota().denials(0).limit() == "10");
  CHECK(window.quota().denials(0).next_change_time().seconds() == window.start().seconds() + 3600);
  CHECK(f.preview.nodes().tickets() == 8);
  CHECK(f.preview.notes_size() == 0);
  // quota-svc was asked for each window, by the limits of its start.
  REQUIRE(f.questions.size() == 2);
  CHECK(f.questions[0].time == start);
  CHECK(f.questions[0].ns == "ml");
  CHECK(f.questions[0].tickets == 3);
  CHECK(f.questions[0].order_labels.has_value());
}

TEST_CASE("planner service: an order that exists is not counted as one more", "[planner][grpc]") {
  Fixture f;
  f.Store("ml", "nightly");
  REQUIRE(f.Preview("jane", "ml", {"ml"}).ok());
  CHECK_FALSE(f.questions.at(0).order_labels.has_value());
  CHECK_THAT(f.preview.notes(0), Catch::StartsWith("there is an order nightly already"));
}

TEST_CASE("planner service: without quota-svc the rest is answered, after one try",
          "[planner][grpc]") {
  Fixture f;
  f.answer = [](const runtime::LedgerQuestion&) { return UnavailableError("nobody leads"); };
  REQUIRE(f.Preview("jane", "ml", {"ml"}).ok());
  CHECK(f.preview.windows_size() == 5);
  CHECK_FALSE(f.preview.windows(0).has_quota());
  REQUIRE(f.preview.notes_size() == 2);
  CHECK(f.preview.notes(1) ==
        "quota-svc does not answer, so it is not known whether the tickets fit: nobody leads");
  CHECK(f.asked == 1);
}

TEST_CASE("planner service: a request that makes no sense is refused with the field's name",
          "[planner][grpc]") {
  Fixture f;
  const auto refusal = [&](const std::function<void(pb::PreviewRequest&)>& change) {
    pb::PreviewRequest request;
    request.set_namespace_("ml");
    request.set_order_json(OrderJson());
    change(request);
    const absl::Status status = f.Preview(request);
    CHECK(absl::IsInvalidArgument(status));
    return std::string(Message(status));
  };
  CHECK_THAT(refusal([](auto& r) { r.set_order_json(OrderJson("web")); }),
             Catch::Contains("metadata.namespace: \"web\": must be ml"));
  CHECK_THAT(refusal([](auto& r) { r.set_order_json(OrderJson("ml", -1)); }),
             Catch::Contains("spec.replicas: \"-1\": must be 0 or more"));
  CHECK_THAT(refusal([](auto& r) { r.set_order_json("{"); }), Catch::Contains("order_json: "));
  CHECK_THAT(refusal([](auto& r) { r.set_windows(101); }),
             Catch::Contains("windows: \"101\": must be 1 to 100"));
  CHECK_THAT(refusal([](auto& r) { r.mutable_from()->set_nanos(-1); }), Catch::Contains("from: "));
}

TEST_CASE("planner service: a calendar tells the orders of the namespace that it is about",
          "[planner][grpc]") {
  Fixture f;
  f.Store("ml", "nightly");
  f.Store("web", "shop");
  REQUIRE(f.Calendar("ann", "ml", {"ml"}).ok());
  REQUIRE(f.calendar.windows_size() == 7);
  for (const pb::CalendarWindow& window : f.calendar.windows()) {
    CHECK(window.namespace_() == "ml");
    CHECK(window.order() == "nightly");
    CHECK(window.strategy() == "Scheduled");
  }
  REQUIRE(f.Calendar("jane", "", {}).ok());
  CHECK(f.calendar.windows_size() == 14);
  pb::CalendarRequest few;
  few.set_limit(3);
  few.mutable_from()->set_seconds(absl::ToUnixSeconds(kNow));
  few.mutable_to()->set_seconds(absl::ToUnixSeconds(kNow + absl::Hours(48)));
  REQUIRE(f.Calendar("jane", "", {}, few).ok());
  CHECK(f.calendar.windows_size() == 3);
  CHECK(f.calendar.truncated());

  pb::CalendarRequest one;
  one.set_order("shop");
  CHECK(absl::IsNotFound(f.Calendar("ann", "ml", {"ml"}, one)));
  CHECK(absl::IsInvalidArgument(f.Calendar("jane", "", {}, one)));
  pb::CalendarRequest backwards = few;
  backwards.mutable_to()->set_seconds(backwards.from().seconds());
  CHECK(absl::IsInvalidArgument(f.Calendar("jane", "", {}, backwards)));
  pb::CalendarRequest long_one = few;
  long_one.mutable_to()->set_seconds(long_one.from().seconds() + 367 * 86'400);
  CHECK(absl::IsInvalidArgument(f.Calendar("jane", "", {}, long_one)));
}

}  // namespace
}  // namespace korder::order
