// More requests at once than may wait, through the real webhooks and real TLS.
#include <algorithm>
#include <barrier>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "admission-svc/admission_handler.h"
#include "admission-svc/routes.h"
#include "admission-svc/testing/fake_peers.h"
#include "admission-svc/testing/requests.h"
#include "api/core/pod.h"
#include "base/clock.h"
#include "prometheus/registry.h"
#include "runtime/http_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/testing/test_http_client.h"

namespace korder::admission {
namespace {

constexpr int kMostWaiting = 16;
constexpr int kThreads = 4;

// ticket-svc, when it has a lot to do.
class SlowTicketDesk final : public TicketDesk {
 public:
  absl::StatusOr<Offer> Ask(const std::string&, const std::string&) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return Offer{.fits = true, .message = ""};
  }
};

struct Fixture {
  Fixture() {
    policies.AddIndex(kByNamespace, NamespaceOf<api::ClaimPolicy>);
    REQUIRE(server.Start().ok());
    serving = std::jthread([this](std::stop_token stop) { (void)server.Run(stop); });
  }
  std::unique_ptr<runtime::TestHttpClient> Connect() {
    return std::make_unique<runtime::TestHttpClient>(server.port(), tls.ca);
  }

  SystemClock clock;
  SlowTicketDesk tickets;
  FakeQuotaDesk quota_desk;
  kube::Store<api::ClaimPolicy> policies;
  kube::Store<api::Quota> quotas;
  prometheus::Registry registry;
  const PodWebhook pods{tickets, policies, [] { return true; }};
  NodeSizes sizes;
  const Validator validator{quota_desk, quotas, sizes, clock};
  AdmissionHandler handler{Routes(pods, validator), registry, clock};
  const runtime::TlsMaterial tls = runtime::TestCa().Issue("localhost");
  runtime::HttpServer server{
      {.listen = "127.0.0.1:0", .tls = tls, .threads = kThreads, .max_concurrent = kMostWaiting},
      [this](const runtime::HttpServerRequest& r) { return handler.Handle(r); }};
  std::jthread serving;
};

// A pod about which ticket-svc is asked.
std::string Request() {
  api::AdmissionReview review;
  review.request = CreateRequest<api::Pod>(
      R"({"metadata":{"annotations":{"korder.dev/required":"true","korder.dev/fallback":"deny"}}})");
  const std::string body = json::Print(review);
  return absl::StrCat("POST /mutate/pods?timeout=3s HTTP/1.1\r\nHost: x\r\nContent-Length: ",
                      body.size(), "\r\n\r\n", body);
}

struct Answer {
  int status = 0;
  std::string retry_after;
  absl::Duration after;
};

TEST_CASE("overload: of ten times what may wait, each is served or refused at once, and it passes",
          "[overload]") {
  Fixture f;
  constexpr size_t kCallers = 8;
  constexpr size_t kEach = 10 * kMostWaiting / kCallers;
  const std::string request = Request();
  std::vector<std::vector<std::unique_ptr<runtime::TestHttpClient>>> clients(kCallers);
  std::vector<std::vector<Answer>> answers(kCallers);
  std::barrier ready(kCallers);
  {
    std::vector<std::jthread> callers;
    for (size_t i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        for (size_t n = 0; n < kEach; ++n) {
          clients[i].push_back(f.Connect());
        }
        ready.arrive_and_wait();
        const absl::Time begin = absl::Now();
        for (auto& client : clients[i]) {
          client->Send(request);
        }
        for (auto& client : clients[i]) {
          const auto answer = client->Receive();
          answers[i].push_back({answer.status, answer.retry_after, absl::Now() - begin});
        }
      });
    }
  }
  std::map<int, int> statuses;
  absl::Duration longest;
  for (const std::vector<Answer>& some : answers) {
    for (const Answer& answer : some) {
      ++statuses[answer.status];
      longest = std::max(longest, answer.after);
      CHECK((answer.status == 200 || answer.retry_after == "1"));
    }
  }
  CHECK(statuses.size() == 2);
  CHECK(statuses[200] >= kMostWaiting);
  CHECK(statuses[429] >= kMostWaiting);
  // Four at a time and 20 ms each, a queue of 16 is 80 ms long; a queue of all 160 would be 800 ms.
  // The rest is for a machine that has other work.
  CHECK(longest < absl::Seconds(5));

  INFO("afterwards everybody is served, on the connection that there is");
  size_t served = 0;
  for (auto& some : clients) {
    some.front()->Send(request);
    served += some.front()->Receive().status == 200 ? 1U : 0U;
  }
  CHECK(served == kCallers);
}

}  // namespace
}  // namespace korder::admission
