// An informer on a whole API server; what the wire may do to it is in list_watcher_test.cc.
#include "kube/informer.h"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "api/core/config_map.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"

namespace korder::kube {
namespace {

struct Rig {
  Rig() { REQUIRE(informer.WaitForSync({})); }

  void Create(const std::string& name) {
    api::ConfigMap map;
    map.metadata.ns = "default";
    map.metadata.name = name;
    REQUIRE(client.Create(map).ok());
  }
  bool Shows(const std::string& name) { return informer.store().Get({"default", name}) != nullptr; }

  FakeClock clock;
  FakeApiServer server{clock};
  Client client{server};
  Informer<api::ConfigMap> informer{client};
  std::jthread thread{[this](std::stop_token stop) { informer.Run(stop); }};
};

TEST_CASE("informer: a refresh shows what a silent watch has not told", "[informer]") {
  Rig rig;
  rig.Create("a");
  rig.server.PauseWatches();
  rig.Create("b");
  CHECK_FALSE(rig.Shows("b"));
  REQUIRE(rig.informer.Refresh({}));
  CHECK(rig.Shows("a"));
  CHECK(rig.Shows("b"));
  REQUIRE(rig.client.Delete<api::ConfigMap>({"default", "a"}).ok());
  REQUIRE(rig.informer.Refresh({}));
  CHECK_FALSE(rig.Shows("a"));
}

TEST_CASE("informer: a refresh outlasts lists that fail", "[informer]") {
  Rig rig;
  rig.server.PauseWatches();
  rig.server.FailNext("list", "configmaps", 500, 2);
  rig.Create("a");
  REQUIRE(rig.informer.Refresh({}));
  CHECK(rig.Shows("a"));
}

TEST_CASE("informer: a refresh ends with its stop token", "[informer]") {
  Rig rig;
  rig.server.FailNext("list", "configmaps", 500, 1'000'000);
  std::stop_source stop;
  std::jthread asker([&] { CHECK_FALSE(rig.informer.Refresh(stop.get_token())); });
  stop.request_stop();
}

TEST_CASE("informer: it goes on watching after a refresh", "[informer]") {
  Rig rig;
  REQUIRE(rig.informer.Refresh({}));
  rig.Create("a");
  REQUIRE(rig.informer.Refresh({}));
  CHECK(rig.Shows("a"));
  CHECK(rig.informer.synced());
}

TEST_CASE("informer: a refresh is not told as a watch that broke", "[informer]") {
  struct Restarts final : Observer {
    void WatchRestart(std::string_view, std::string_view) override { ++count; }
    std::atomic<int> count = 0;
  };
  FakeClock clock;
  FakeApiServer server{clock};
  Restarts restarts;
  Client client{server, restarts};
  Informer<api::ConfigMap> informer{client};
  const std::jthread thread{[&](std::stop_token stop) { informer.Run(stop); }};
  REQUIRE(informer.WaitForSync({}));
  for (const char* name : {"a", "b", "c"}) {
    api::ConfigMap map;
    map.metadata.ns = "default";
    map.metadata.name = name;
    REQUIRE(client.Create(map).ok());
    // What the watch has told, or a list: then the watch is next.
    while (informer.store().Get({"default", name}) == nullptr) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    absl::SleepFor(absl::Milliseconds(5));
    REQUIRE(informer.Refresh({}));
  }
  CHECK(restarts.count == 0);
}

}  // namespace
}  // namespace korder::kube
