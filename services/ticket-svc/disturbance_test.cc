#include "ticket-svc/disturbance.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/testing/fake_clock.h"

namespace korder::ticket {
namespace {

TEST_CASE("disturbance: failing requests and broken watches count, what is ordinary does not",
          "[disturbance]") {
  FakeClock clock;
  Disturbance disturbance(kube::NoObserver(), clock);
  CHECK(disturbance.Ago() == absl::InfiniteDuration());
  disturbance.Request("get", "pods", 200, absl::ZeroDuration());
  disturbance.Request("update", "tickets", 409, absl::ZeroDuration());
  disturbance.Request("create", "pods", 429, absl::ZeroDuration());
  disturbance.WatchRestart("pods", "closed");
  CHECK(disturbance.Count() == 0);
  CHECK(disturbance.Ago() == absl::InfiniteDuration());

  SECTION("no answer") { disturbance.Request("get", "pods", 0, absl::ZeroDuration()); }
  SECTION("a server error") { disturbance.Request("get", "pods", 500, absl::ZeroDuration()); }
  SECTION("a watch that broke") { disturbance.WatchRestart("pods", "error"); }
  SECTION("another scheduler") { disturbance.Note(); }
  CHECK(disturbance.Count() == 1);
  clock.Advance(absl::Seconds(7));
  CHECK(disturbance.Ago() == absl::Seconds(7));
}

TEST_CASE("disturbance: what is counted is told on", "[disturbance]") {
  struct Listener final : kube::Observer {
    void Request(std::string_view verb, std::string_view resource, int code,
                 absl::Duration took) override {
      heard = absl::StrCat(std::string(verb), " ", std::string(resource), " ", code, " ",
                           absl::FormatDuration(took));
    }
    void WatchRestart(std::string_view resource, std::string_view reason) override {
      heard = absl::StrCat(std::string(resource), " ", std::string(reason));
    }
    std::string heard;
  };
  FakeClock clock;
  Listener listener;
  Disturbance disturbance(listener, clock);
  disturbance.Request("get", "pods", 503, absl::Seconds(1));
  CHECK(listener.heard == "get pods 503 1s");
  disturbance.WatchRestart("nodes", "error");
  CHECK(listener.heard == "nodes error");
}

}  // namespace
}  // namespace korder::ticket
