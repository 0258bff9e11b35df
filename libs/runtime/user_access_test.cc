#include "runtime/user_access.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/testing/fake_clock.h"
#include "runtime/testing/reviewing_api_server.h"

namespace korder::runtime {
namespace {

struct Fixture {
  ReviewingApiServer server{{.knows = {"jane-token", "joe-token", "ann-token"},
                             .may = {"jane-token"},
                             .may_in = {{"ann-token", {"ml", "web"}}}}};
  kube::Client client{server};
  FakeClock clock;
  UserAccess users{client,
                   clock,
                   {.access = {.verb = "get", .group = "core.korder.dev", .resource = "quotas"},
                    .max_waiting = 2}};
  UserAccess orders{client,
                    clock,
                    {.access = {.verb = "list", .group = "core.korder.dev", .resource = "orders"},
                     .in_namespace = true}};

  // What Check answers at once, or nullopt.
  std::optional<absl::Status> Ask(const std::string& token) {
    const auto answer = std::make_shared<std::optional<absl::Status>>();
    users.Check(token, "", [answer](const absl::Status& status) { *answer = status; });
    return *answer;
  }
  // What Check answers while Run runs.
  static absl::Status AskAndWait(UserAccess& access, const std::string& token,
                                 const std::string& ns) {
    const auto answer = std::make_shared<std::promise<absl::Status>>();
    access.Check(token, ns, [answer](const absl::Status& status) { answer->set_value(status); });
    return answer->get_future().get();
  }
  absl::Status AskAndWait(const std::string& token) { return AskAndWait(users, token, ""); }
  // Returns once Run asks the API server; "nobody" has been answered then.
  void AwaitRunning() {
    for (int i = 0; i < 5000 && absl::IsUnavailable(AskAndWait("nobody")); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(server.requests() == 1);
  }
};

}  // namespace

TEST_CASE("user access: the API server says who it is, and RBAC whether they may", "[users]") {
  Fixture f;
  const std::jthread run([&](std::stop_token stop) { f.users.Run(stop); });
  f.AwaitRunning();
  CHECK(f.AskAndWait("jane-token").ok());
  const absl::Status joe = f.AskAndWait("joe-token");
  CHECK(absl::IsPermissionDenied(joe));
  CHECK(Message(joe) == "user-of-joe-token may not get quotas.core.korder.dev");
  const absl::Status nobody = f.AskAndWait("made-up");
  CHECK(absl::IsUnauthenticated(nobody));
  // The token is a secret, also a wrong one.
  CHECK_FALSE(absl::StrContains(std::string(Message(nobody)), "made-up"));
}

TEST_CASE("user access: answers are remembered for a while, refusals too", "[users]") {
  Fixture f;
  const std::jthread run([&](std::stop_token stop) { f.users.Run(stop); });
  f.AwaitRunning();
  (void)f.AskAndWait("jane-token");
  (void)f.AskAndWait("made-up");
  const int asked = f.server.requests();
  for (int i = 0; i < 5; ++i) {
    CHECK(f.Ask("jane-token")->ok());
    CHECK(absl::IsUnauthenticated(*f.Ask("made-up")));
  }
  CHECK(f.server.requests() == asked);
  f.server.Forget("jane-token");
  f.clock.Advance(absl::Seconds(11));
  CHECK(absl::IsUnauthenticated(f.AskAndWait("jane-token")));
}

TEST_CASE("user access: an API server that does not answer is no refusal, and not remembered",
          "[users]") {
  Fixture f;
  const std::jthread run([&](std::stop_token stop) { f.users.Run(stop); });
  f.AwaitRunning();
  f.server.SetAway(true);
  CHECK(absl::IsUnavailable(f.AskAndWait("jane-token")));
  f.server.SetAway(false);
  CHECK(f.AskAndWait("jane-token").ok());
}

TEST_CASE("user access: what is in a namespace is for those who may there, and nowhere else",
          "[users]") {
  Fixture f;
  const std::jthread run([&](std::stop_token stop) { f.orders.Run(stop); });
  for (int i = 0; i < 5000 && absl::IsUnavailable(Fixture::AskAndWait(f.orders, "x", "")); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  struct Case {
    std::string token;
    std::string ns;
    absl::StatusCode want;
  };
  constexpr auto kOk = absl::StatusCode::kOk;
  constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
  const Case cases[] = {
      {"jane-token", "", kOk},
      {"jane-token", "ml", kOk},
      {"ann-token", "ml", kOk},
      {"ann-token", "web", kOk},
      {"ann-token", "db", kDenied},
      {"ann-token", "", kDenied},
      {"joe-token", "ml", kDenied},
      {"made-up", "ml", absl::StatusCode::kUnauthenticated},
      {"jane-token", "Not A Name", absl::StatusCode::kInvalidArgument},
      {"ann-token", "ml,web", absl::StatusCode::kInvalidArgument},
  };
  // Twice: the second time from memory, where no namespace answers for another one.
  for (const int round : {1, 2}) {
    for (const Case& c : cases) {
      INFO(round << ": " << c.token << " in \"" << c.ns << "\"");
      CHECK(Fixture::AskAndWait(f.orders, c.token, c.ns).code() == c.want);
    }
  }
  CHECK(Message(Fixture::AskAndWait(f.orders, "ann-token", "db")) ==
        "user-of-ann-token may not list orders.core.korder.dev in namespace db");
  CHECK(Message(Fixture::AskAndWait(f.orders, "ann-token", "")) ==
        "user-of-ann-token may not list orders.core.korder.dev in all namespaces");
}

TEST_CASE("user access: naming a namespace opens nothing that is asked for in the whole cluster",
          "[users]") {
  Fixture f;
  const std::jthread run([&](std::stop_token stop) { f.users.Run(stop); });
  f.AwaitRunning();
  CHECK(absl::IsPermissionDenied(Fixture::AskAndWait(f.users, "ann-token", "ml")));
  CHECK(Fixture::AskAndWait(f.users, "jane-token", "ml").ok());
  const int asked = f.server.requests();
  CHECK(Fixture::AskAndWait(f.users, "jane-token", "web").ok());
  CHECK(f.server.requests() == asked);  // It is the same question.
}

TEST_CASE("user access: everybody who waits is answered when it ends", "[users]") {
  Fixture f;
  CHECK(absl::IsUnavailable(*f.Ask("jane-token")));  // Nobody asks the API server.
  std::jthread run([&](std::stop_token stop) { f.users.Run(stop); });
  f.AwaitRunning();
  f.server.Hold();
  std::atomic<int> unavailable = 0;
  std::atomic<int> refused = 0;
  const auto ask = [&](const std::string& token) {
    f.users.Check(token, "", [&](const absl::Status& status) {
      unavailable += absl::IsUnavailable(status) ? 1 : 0;
      refused += absl::IsResourceExhausted(status) ? 1 : 0;
    });
  };
  ask("under-review");
  while (f.server.requests() == 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (int i = 0; i < 5; ++i) {
    ask(absl::StrCat("waits-", i));
  }
  CHECK(refused == 3);  // Two may wait.
  CHECK(unavailable == 0);
  f.server.SetAway(true);
  run.request_stop();
  f.server.LetGo();
  run.join();
  CHECK(unavailable == 2);
  CHECK(absl::IsUnavailable(*f.Ask("late")));
}

}  // namespace korder::runtime
