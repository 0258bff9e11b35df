#include "kube/testing/fake_api_server.h"

#include <latch>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "api/core/pod.h"
#include "base/testing/fake_clock.h"
#include "kube/client.h"

namespace korder::kube {
namespace {

api::ConfigMap Map(std::string name) {
  api::ConfigMap map;
  map.metadata.ns = "default";
  map.metadata.name = std::move(name);
  return map;
}

const ObjectKey kA{"default", "a"};

struct Rig {
  FakeClock clock;
  FakeApiServer server{clock};
  Client client{server};

  absl::StatusCode Create(std::string name) {
    return client.Create(Map(std::move(name))).status().code();
  }
  bool Exists(const std::string& name) {
    return client.Get<api::ConfigMap>({"default", name}).ok();
  }
  std::unique_ptr<ByteStream> Watch(std::string version, std::stop_token stop = {}) {
    auto stream = client.Watch(api::ConfigMap::kResource, "default",
                               {.resource_version = std::move(version)}, {.stop = stop});
    REQUIRE(stream.ok());
    return *std::move(stream);
  }
  std::string Version() {
    return client.List<api::ConfigMap>("default")->metadata.resource_version;
  }
};

// What kind of event comes next, or how the stream ends.
std::string Next(ByteStream& stream, absl::Duration idle = absl::ZeroDuration()) {
  const absl::StatusOr<std::string> frame = stream.Read(idle);
  if (!frame.ok()) {
    return absl::StatusCodeToString(frame.status().code());
  }
  if (frame->empty()) {
    return "end";
  }
  for (const std::string_view type : {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"}) {
    if (frame->find("\"type\":\"" + std::string(type)) != std::string::npos) {
      return std::string(type);
    }
  }
  return *frame;
}

TEST_CASE("fake api server: refuses the next matching requests, and only those", "[fake]") {
  Rig rig;
  rig.server.FailNext("create", "configmaps", 503, 2);
  CHECK(rig.client.Get<api::ConfigMap>(kA).status().code() == absl::StatusCode::kNotFound);
  CHECK(rig.Create("a") == absl::StatusCode::kUnavailable);
  CHECK(rig.Create("a") == absl::StatusCode::kUnavailable);
  CHECK_FALSE(rig.Exists("a"));
  CHECK(rig.Create("a") == absl::StatusCode::kOk);
}

TEST_CASE("fake api server: a refusal can say when to come back", "[fake]") {
  Rig rig;
  rig.server.FailNext("", "", 429, 1, absl::Seconds(7));
  const absl::Status status = rig.client.Create(Map("a")).status();
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(RetryAfter(status) == absl::Seconds(7));
}

TEST_CASE("fake api server: a lost request did not happen, one with a lost response did",
          "[fake]") {
  Rig rig;
  rig.server.LoseNextRequest("create", "configmaps");
  CHECK(rig.Create("a") == absl::StatusCode::kUnavailable);
  CHECK_FALSE(rig.Exists("a"));
  rig.server.LoseNextResponse("create", "configmaps");
  CHECK(rig.Create("a") == absl::StatusCode::kUnavailable);
  CHECK(rig.Exists("a"));
}

TEST_CASE("fake api server: a request that arrives twice gets the second answer", "[fake]") {
  Rig rig;
  rig.server.DuplicateNext("create", "configmaps");
  CHECK(rig.Create("a") == absl::StatusCode::kAlreadyExists);
  rig.server.DuplicateNext("delete", "configmaps");
  CHECK(rig.client.Delete<api::ConfigMap>(kA).code() == absl::StatusCode::kNotFound);
}

TEST_CASE("fake api server: faults of subresources are named like rules of RBAC", "[fake]") {
  Rig rig;
  api::Pod pod;
  pod.metadata.ns = "default";
  pod.metadata.name = "a";
  REQUIRE(rig.client.Create(pod).ok());
  rig.server.FailNext("patch", "pods/status", 500);
  CHECK(rig.client.Patch<api::Pod>(kA, {}, "{}").ok());
  CHECK_FALSE(rig.client.Patch<api::Pod>(kA, {.subresource = "status"}, "{}").ok());
}

TEST_CASE("fake api server: takes note of every request and of how it was answered", "[fake]") {
  Rig rig;
  rig.server.LoseNextResponse("create", "configmaps");
  rig.Create("a");
  rig.Exists("a");
  rig.Exists("b");
  CHECK(rig.server.Count("create", "configmaps") == 1);
  CHECK(rig.server.Count("get", "configmaps") == 2);
  CHECK(rig.server.Count("get", "pods") == 0);
  const std::vector<ServedCall> log = rig.server.Log();
  REQUIRE(log.size() == 3);
  CHECK(log[0].code == 0);
  CHECK(log[0].body.find("\"a\"") != std::string::npos);
  CHECK(log[1].code == 200);
  CHECK(log[2].code == 404);
  CHECK(log[2].key == ObjectKey{"default", "b"});
  rig.server.ClearLog();
  CHECK(rig.server.Log().empty());
}

TEST_CASE("fake api server: hooks run around every write and may use the server", "[fake]") {
  Rig rig;
  std::vector<std::string> seen;
  rig.server.OnWrite(
      {.before =
           [&](const ServedCall& call) {
             seen.push_back("before " + call.verb);
             if (call.key.name.empty() && !rig.Exists("other")) {
               rig.server.OnWrite({});
               rig.Create("other");
             }
           },
       .after =
           [&](const ServedCall& call) { seen.push_back("after " + std::to_string(call.code)); }});
  CHECK(rig.Create("a") == absl::StatusCode::kOk);
  CHECK(rig.Exists("other"));
  CHECK(seen == std::vector<std::string>{"before create", "after 201"});
}

TEST_CASE("fake api server: a hook that throws is a crash before or after the write", "[fake]") {
  Rig rig;
  const auto crash = [](const ServedCall&) { throw std::runtime_error("crash"); };
  rig.server.OnWrite({.before = crash});
  CHECK_THROWS_AS(rig.Create("a"), std::runtime_error);
  rig.server.OnWrite({.after = crash});
  CHECK_FALSE(rig.Exists("a"));
  CHECK_THROWS_AS(rig.Create("a"), std::runtime_error);
  rig.server.OnWrite({});
  CHECK(rig.Exists("a"));
}

TEST_CASE("fake api server: a request after a stop is cancelled and does nothing", "[fake]") {
  Rig rig;
  std::stop_source stop;
  stop.request_stop();
  CHECK(absl::IsCancelled(rig.client.Create(Map("a"), {.stop = stop.get_token()}).status()));
  CHECK_FALSE(rig.Exists("a"));
}

TEST_CASE("fake api server: a watch with nothing to tell is idle, and a stop ends it", "[fake]") {
  Rig rig;
  std::stop_source stop;
  const auto stream = rig.Watch(rig.Version(), stop.get_token());
  CHECK(Next(*stream) == "DEADLINE_EXCEEDED");
  std::string got;
  std::latch begun(1);
  std::jthread reader([&] {
    begun.count_down();
    got = Next(*stream, absl::Minutes(1));
  });
  begun.wait();
  stop.request_stop();
  reader.join();
  CHECK(got == "CANCELLED");
}

TEST_CASE("fake api server: a watch that waits is woken by a write", "[fake]") {
  Rig rig;
  const auto stream = rig.Watch(rig.Version());
  std::string got;
  std::latch begun(1);
  std::jthread reader([&] {
    begun.count_down();
    got = Next(*stream, absl::Minutes(1));
  });
  begun.wait();
  rig.Create("a");
  reader.join();
  CHECK(got == "ADDED");
}

TEST_CASE("fake api server: watches end in good order or break, after what they have to tell",
          "[fake]") {
  Rig rig;
  const auto ended = rig.Watch(rig.Version());
  rig.Create("a");
  rig.server.EndWatches();
  CHECK(Next(*ended) == "ADDED");
  CHECK(Next(*ended) == "end");
  const auto broken = rig.Watch(rig.Version());
  rig.server.EndWatches(UnavailableError("reset"));
  rig.Create("b");
  CHECK(Next(*broken) == "UNAVAILABLE");
}

TEST_CASE("fake api server: paused watches tell nothing and catch up later", "[fake]") {
  Rig rig;
  const auto stream = rig.Watch(rig.Version());
  rig.server.PauseWatches();
  rig.Create("a");
  rig.client.Delete<api::ConfigMap>(kA).IgnoreError();
  CHECK(Next(*stream) == "DEADLINE_EXCEEDED");
  rig.server.ResumeWatches();
  CHECK(Next(*stream) == "ADDED");
  CHECK(Next(*stream) == "DELETED");
}

TEST_CASE("fake api server: bookmarks tell the newest version, also of other resources", "[fake]") {
  Rig rig;
  const auto stream = rig.Watch(rig.Version());
  api::Pod pod;
  pod.metadata.ns = "default";
  pod.metadata.name = "p";
  const std::string newest = rig.client.Create(pod)->metadata.resource_version;
  rig.server.SendBookmarks();
  const absl::StatusOr<std::string> frame = stream->Read(absl::ZeroDuration());
  REQUIRE(frame.ok());
  CHECK(*frame ==
        "{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
        "\"metadata\":{"
        "\"creationTimestamp\":null,\"resourceVersion\":\"" +
            newest + "\"}}}\n");
}

TEST_CASE("fake api server: after Compact old versions and old pages are gone, open watches go on",
          "[fake]") {
  Rig rig;
  rig.Create("a");
  rig.Create("b");
  const std::string version = rig.Version();
  const auto open = rig.Watch(version);
  const auto page = rig.client.List<api::ConfigMap>("default", {.limit = 1});
  REQUIRE(page.ok());
  rig.Create("c");
  rig.server.Compact();
  CHECK(Next(*open) == "ADDED");
  const auto late = rig.Watch(version);
  CHECK(Next(*late) == "ERROR");
  CHECK(Next(*late) == "end");
  CHECK(rig.client
            .List<api::ConfigMap>("default",
                                  {.limit = 1, .continue_token = page->metadata.continue_token})
            .status()
            .code() == absl::StatusCode::kOutOfRange);
  const auto fresh = rig.Watch(rig.Version());
  CHECK(Next(*fresh) == "DEADLINE_EXCEEDED");
}

TEST_CASE("fake api server: a watch can be refused or lost before it begins", "[fake]") {
  Rig rig;
  const auto open = [&] {
    return rig.client.Watch(api::ConfigMap::kResource, "", {.resource_version = "1"})
        .status()
        .code();
  };
  rig.server.FailNext("watch", "configmaps", 410);
  CHECK(open() == absl::StatusCode::kOutOfRange);
  rig.server.LoseNextRequest("watch", "configmaps");
  CHECK(open() == absl::StatusCode::kUnavailable);
  CHECK(rig.server.Count("watch", "configmaps") == 2);
}

TEST_CASE("fake api server: a stream outlives its server", "[fake]") {
  FakeClock clock;
  std::unique_ptr<ByteStream> stream;
  {
    FakeApiServer server(clock);
    Client client(server);
    stream = *client.Watch(api::ConfigMap::kResource, "", {});
  }
  CHECK(Next(*stream) == "UNAVAILABLE");
}

TEST_CASE("fake api server: garbage is collected with each write if asked for", "[fake]") {
  FakeClock clock;
  FakeApiServer server(clock, {.collect_garbage = true});
  Client client(server);
  const auto owner = client.Create(Map("owner"));
  api::ConfigMap child = Map("child");
  child.metadata.owner_references = {api::ControllerReference(*owner)};
  REQUIRE(client.Create(child).ok());
  REQUIRE(client.Delete<api::ConfigMap>({"default", "owner"}).ok());
  CHECK(absl::IsNotFound(client.Get<api::ConfigMap>({"default", "child"}).status()));
}

TEST_CASE("fake api server: times come from the clock, names and uids are the same in every run",
          "[fake]") {
  const auto run = [] {
    Rig rig;
    api::ConfigMap map = Map("");
    map.metadata.generate_name = "gen-";
    rig.client.Create(map).IgnoreError();
    return *rig.client.Create(map);
  };
  const api::ConfigMap one = run();
  CHECK(one == run());
  CHECK(one.metadata.creation_timestamp == FakeClock().Now());
}

TEST_CASE("fake api server: many threads at once lose no write", "[fake]") {
  Rig rig;
  REQUIRE(rig.Create("a") == absl::StatusCode::kOk);
  const auto stream = rig.Watch(rig.Version());
  std::atomic<int> conflicts = 0;
  const auto increment = [&] {
    Client client(rig.server);
    for (int done = 0; done < 25;) {
      api::ConfigMap map = *client.Get<api::ConfigMap>(kA);
      map.data["n"] = std::to_string((map.data.contains("n") ? std::stoi(map.data["n"]) : 0) + 1);
      client.Update(map).ok() ? ++done : ++conflicts;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back(increment);
    }
  }
  CHECK(rig.client.Get<api::ConfigMap>(kA)->data["n"] == "100");
  int events = 0;
  while (Next(*stream) == "MODIFIED") {
    ++events;
  }
  CHECK(events == 100);
  CHECK(rig.server.Count("update", "configmaps") == 100 + conflicts);
}

}  // namespace
}  // namespace korder::kube
