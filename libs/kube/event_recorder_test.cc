#include "kube/event_recorder.h"

#include <condition_variable>
#include <functional>
#include <latch>
#include <thread>

#include <catch2/catch.hpp>

#include "api/core/node.h"
#include "api/core/pod.h"
#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"

namespace korder::kube {
namespace {

class Notes final : public Observer {
 public:
  void EventDropped(std::string_view reason) override { dropped.emplace_back(reason); }
  std::vector<std::string> dropped;
};

api::ObjectReference Ref(std::string name, std::string uid = "u-1") {
  api::Pod pod;
  pod.metadata.ns = "team";
  pod.metadata.name = std::move(name);
  pod.metadata.uid = std::move(uid);
  return RefTo(pod);
}

struct Rig {
  explicit Rig(EventRecorderOptions options = {.component = "order-svc", .instance = "me"})
      : recorder(client, clock, std::move(options)) {}

  // Sends all that is recorded: a stop request makes Run send the rest and end.
  void Flush() {
    std::stop_source stop;
    stop.request_stop();
    recorder.Run(stop.get_token());
  }
  std::vector<api::Event> Events() { return client.List<api::Event>("")->items; }

  FakeClock clock;
  FakeApiServer server{clock};
  Notes notes;
  Client client{server, notes};
  EventRecorder recorder;
};

TEST_CASE("event recorder: an event says what happened to which object, and who says so",
          "[events]") {
  Rig rig;
  rig.recorder.Warning(Ref("web-1"), "HandoffFailed", "the room is gone");
  rig.Flush();
  const std::vector<api::Event> events = rig.Events();
  REQUIRE(events.size() == 1);
  api::Event want;
  want.metadata = events[0].metadata;
  want.involved_object.api_version = "v1";
  want.involved_object.kind = "Pod";
  want.involved_object.ns = "team";
  want.involved_object.name = "web-1";
  want.involved_object.uid = "u-1";
  want.type = "Warning";
  want.reason = "HandoffFailed";
  want.message = "the room is gone";
  want.first_timestamp = rig.clock.Now();
  want.last_timestamp = rig.clock.Now();
  want.source.component = "order-svc";
  want.reporting_component = "order-svc";
  want.reporting_instance = "me";
  CHECK(events[0] == want);
  CHECK(events[0].metadata.ns == "team");
  CHECK(events[0].metadata.name.starts_with("web-1."));
  CHECK(events[0].metadata.name.size() == 6 + 16);
}

TEST_CASE("event recorder: an event about what has no namespace lies in default", "[events]") {
  Rig rig;
  api::Node node;
  node.metadata.name = "n1";
  rig.recorder.Normal(RefTo(node), "WindowOpened", "open");
  rig.Flush();
  REQUIRE(rig.Events().size() == 1);
  CHECK(rig.Events()[0].metadata.ns == "default");
  CHECK(rig.Events()[0].involved_object.ns.empty());
}

TEST_CASE("event recorder: the same event again raises its count", "[events]") {
  Rig rig;
  rig.recorder.Normal(Ref("web-1"), "TicketReady", "ready");
  rig.Flush();
  rig.clock.Advance(absl::Minutes(9));
  rig.recorder.Normal(Ref("web-1"), "TicketReady", "ready");
  rig.Flush();
  rig.clock.Advance(absl::Minutes(9));
  rig.recorder.Normal(Ref("web-1"), "TicketReady", "ready");
  rig.recorder.Normal(Ref("web-1"), "TicketReady", "ready");
  rig.Flush();
  const std::vector<api::Event> events = rig.Events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].count == 4);
  CHECK(*events[0].last_timestamp - *events[0].first_timestamp == absl::Minutes(18));
  CHECK(rig.server.Count("create", "events") == 1);
  CHECK(rig.server.Count("patch", "events") == 2);
}

TEST_CASE("event recorder: events that are the same while they wait are one write", "[events]") {
  Rig rig;
  for (int i = 0; i < 5; ++i) {
    rig.recorder.Normal(Ref("web-1"), "TicketReady", "ready");
    rig.clock.Advance(absl::Seconds(1));
  }
  rig.Flush();
  REQUIRE(rig.Events().size() == 1);
  CHECK(rig.Events()[0].count == 5);
  CHECK(*rig.Events()[0].last_timestamp - *rig.Events()[0].first_timestamp == absl::Seconds(4));
  CHECK(rig.server.Count("create", "events") == 1);
  CHECK(rig.server.Count("patch", "events") == 0);
}

TEST_CASE("event recorder: what differs in object, type, reason or message is another event",
          "[events]") {
  Rig rig;
  rig.recorder.Normal(Ref("web-1"), "A", "x");
  rig.recorder.Normal(Ref("web-2"), "A", "x");
  rig.recorder.Normal(Ref("web-1", "u-2"), "A", "x");
  rig.recorder.Warning(Ref("web-1"), "A", "x");
  rig.recorder.Normal(Ref("web-1"), "B", "x");
  rig.recorder.Normal(Ref("web-1"), "A", "y");
  rig.Flush();
  CHECK(rig.Events().size() == 6);
}

TEST_CASE("event recorder: after the window, or when the event is gone, it is a new one",
          "[events]") {
  Rig rig;
  rig.recorder.Normal(Ref("web-1"), "A", "x");
  rig.Flush();
  SECTION("after the window") {
    rig.clock.Advance(absl::Minutes(10));
    rig.recorder.Normal(Ref("web-1"), "A", "x");
    rig.Flush();
    CHECK(rig.Events().size() == 2);
  }
  SECTION("deleted, as the API server does after an hour") {
    REQUIRE(rig.client.Delete<api::Event>(KeyOf(rig.Events()[0])).ok());
    rig.recorder.Normal(Ref("web-1"), "A", "x");
    rig.Flush();
    REQUIRE(rig.Events().size() == 1);
    CHECK(rig.Events()[0].count == 1);
  }
}

TEST_CASE("event recorder: over the budget events are dropped and counted; time refills it",
          "[events]") {
  Rig rig({.component = "c", .normals = {.per_second = 1, .burst = 2}});
  for (int i = 0; i < 4; ++i) {
    rig.recorder.Normal(Ref("web-" + std::to_string(i)), "A", "x");
  }
  // Repeating what waits costs nothing.
  rig.recorder.Normal(Ref("web-0"), "A", "x");
  CHECK(rig.notes.dropped == std::vector<std::string>{"budget", "budget"});
  // What else happens is still told, here and elsewhere, and what goes wrong.
  rig.recorder.Normal(Ref("web-1"), "B", "x");
  api::ObjectReference elsewhere = Ref("web-2");
  elsewhere.ns = "other-team";
  rig.recorder.Normal(elsewhere, "A", "x");
  rig.recorder.Warning(Ref("e"), "R", "m");
  CHECK(rig.notes.dropped.size() == 2);
  rig.clock.Advance(absl::Seconds(1));
  rig.recorder.Normal(Ref("web-8"), "A", "x");
  rig.recorder.Normal(Ref("web-9"), "A", "x");
  CHECK(rig.notes.dropped.size() == 3);
  rig.clock.Advance(absl::Hours(1));
  rig.Flush();
  CHECK(rig.Events().size() == 6);
}

TEST_CASE("event recorder: many reasons and namespaces do not make more than the total",
          "[events]") {
  Rig rig({.component = "c", .total = {.per_second = 1, .burst = 2}});
  for (const std::string reason : {"A", "B", "C"}) {
    rig.recorder.Normal(Ref("web"), reason, "x");
  }
  rig.recorder.Warning(Ref("web"), "D", "x");
  CHECK(rig.notes.dropped == std::vector<std::string>{"budget", "budget"});
  rig.clock.Advance(absl::Seconds(1));
  rig.recorder.Warning(Ref("web"), "D", "x");
  CHECK(rig.notes.dropped.size() == 2);
  rig.Flush();
  CHECK(rig.Events().size() == 3);
}

TEST_CASE("event recorder: the queue is bounded", "[events]") {
  Rig rig({.component = "c", .max_pending = 3});
  for (int i = 0; i < 5; ++i) {
    rig.recorder.Normal(Ref("web-" + std::to_string(i)), "A", "x");
  }
  CHECK(rig.notes.dropped == std::vector<std::string>{"queue", "queue"});
  rig.Flush();
  CHECK(rig.Events().size() == 3);
}

TEST_CASE("event recorder: names and messages keep to what the API server takes", "[events]") {
  Rig rig;
  const std::string name = std::string(234, 'a') + "." + std::string(18, 'b');
  rig.recorder.Normal(Ref(name), "A", std::string(1023, 'x') + "\u00e4" + "tail");
  rig.Flush();
  REQUIRE(rig.Events().size() == 1);
  const api::Event event = rig.Events()[0];
  CHECK(event.metadata.name.substr(0, 236) == name.substr(0, 236));
  CHECK(event.metadata.name.size() == 253);
  CHECK(event.message == std::string(1023, 'x'));
  CHECK(event.involved_object.name == name);

  const std::string dotted = std::string(235, 'a') + "." + std::string(10, 'b');
  rig.recorder.Normal(Ref(dotted), "B", "x");
  rig.Flush();
  CHECK(rig.Events()[1].metadata.name.starts_with(std::string(235, 'a') + ".1"));
}

TEST_CASE("event recorder: an event that could not be written is dropped, the next is not",
          "[events]") {
  Rig rig;
  rig.server.FailNext("create", "events", 503);
  rig.recorder.Normal(Ref("web-1"), "A", "x");
  rig.Flush();
  CHECK(rig.Events().empty());
  CHECK(rig.notes.dropped == std::vector<std::string>{"error"});
  rig.recorder.Normal(Ref("web-1"), "A", "x");
  rig.Flush();
  CHECK(rig.Events().size() == 1);
}

// Does something before each request of another transport.
class Before final : public HttpTransport {
 public:
  using Action = std::function<absl::Status(const CallOptions&)>;
  Before(HttpTransport& next, Action action) : next_(next), action_(std::move(action)) {}

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override {
    if (absl::Status status = action_(options); !status.ok()) {
      return status;
    }
    return next_.Do(request, options);
  }
  absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                      const CallOptions& options) override {
    return next_.Open(request, options);
  }

 private:
  HttpTransport& next_;
  const Action action_;
};

TEST_CASE("event recorder: on stop what is left is sent, for two seconds at most", "[events]") {
  Rig rig;
  std::vector<absl::Duration> timeouts;
  Before slow(rig.server, [&](const CallOptions& options) {
    timeouts.push_back(options.timeout);
    rig.clock.Advance(absl::Milliseconds(900));
    return absl::OkStatus();
  });
  Client client(slow);
  EventRecorder recorder(client, rig.clock, {.component = "c"});
  for (int i = 0; i < 9; ++i) {
    recorder.Normal(Ref("web-" + std::to_string(i)), "A", "x");
  }
  std::stop_source stop;
  stop.request_stop();
  recorder.Run(stop.get_token());
  CHECK(timeouts == std::vector<absl::Duration>{absl::Seconds(2), absl::Milliseconds(1100),
                                                absl::Milliseconds(200)});
  CHECK(rig.Events().size() == 3);
}

TEST_CASE("event recorder: a stop cuts off the event that is being sent, and sends it again",
          "[events]") {
  Rig rig;
  std::latch sending(1);
  bool first = true;
  Before hung(rig.server, [&](const CallOptions& options) {
    if (!std::exchange(first, false)) {
      return absl::OkStatus();
    }
    sending.count_down();
    Mutex mu;
    CondVar cv;
    const MutexLock lock(mu);
    cv.Wait(mu, options.stop, [] { return false; });
    return CancelledError("stop");
  });
  Client client(hung);
  EventRecorder recorder(client, rig.clock, {.component = "c"});
  {
    std::jthread runner([&](std::stop_token stop) { recorder.Run(stop); });
    recorder.Normal(Ref("web-1"), "A", "x");
    sending.wait();
    recorder.Normal(Ref("web-1"), "A", "x");  // once more while it is under way
    recorder.Normal(Ref("web-2"), "A", "x");
  }
  REQUIRE(rig.Events().size() == 2);
  CHECK(rig.Events()[0].count == 2);
}

}  // namespace
}  // namespace korder::kube
