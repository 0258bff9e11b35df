#include "kube/leader_elector.h"

#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "base/mutex.h"
#include "base/testing/fake_clock.h"
#include "kube/leader_transport.h"
#include "kube/testing/fake_api_server.h"

namespace korder::kube {
namespace {

// Real time, since threads wait in it; short terms, so that nothing waits long. A term is promised
// in whole seconds, so a takeover from a silent holder takes one.
LeaderElectionOptions Options(std::string identity) {
  return {.name = "lease",
          .identity = std::move(identity),
          .lease_duration = absl::Milliseconds(1000),
          .renew_deadline = absl::Milliseconds(400),
          .retry_period = absl::Milliseconds(10)};
}

// Something that tests wait for: a count that others raise.
class Counter {
 public:
  void Add() {
    {
      const MutexLock lock(mu_);
      ++count_;
    }
    changed_.NotifyAll();
  }
  // False when it takes unreasonably long.
  bool Reaches(int count) {
    const MutexLock lock(mu_);
    return changed_.WaitUntil(mu_, {}, std::chrono::steady_clock::now() + std::chrono::seconds(20),
                              [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ >= count; });
  }
  int count() {
    const MutexLock lock(mu_);
    return count_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

void WaitForStop(std::stop_token stop) {
  Mutex mu;
  CondVar cv;
  const MutexLock lock(mu);
  cv.Wait(mu, std::move(stop), [] { return false; });
}

class Notes final : public Observer {
 public:
  void Leading(std::string_view lease, bool leading) override {
    const MutexLock lock(mu_);
    seen_.push_back(std::string(lease) + (leading ? " +" : " -"));
  }
  std::vector<std::string> seen() {
    const MutexLock lock(mu_);
    return seen_;
  }

 private:
  Mutex mu_;
  std::vector<std::string> seen_ ABSL_GUARDED_BY(mu_);
};

// One process that leads until it is told to stop, and what it saw.
class Process {
 public:
  Process(FakeApiServer& server, const Clock& clock, std::string identity)
      : client_(server, notes), elector_(client_, clock, Options(std::move(identity))) {}

  void Start() {
    thread_ = std::jthread([this](std::stop_token stop) {
      elector_.Run(stop, [this](std::stop_token leading, int64_t epoch) {
        last_epoch = epoch;
        began.Add();
        WaitForStop(leading);
        asked_to_stop.Add();
        if (wind_up) {
          wind_up->wait();
        }
        ended.Add();
      });
      returned.Add();
    });
  }
  void Stop() { thread_.request_stop(); }
  bool leading() const { return elector_.leading(); }

  Notes notes;
  Counter began;
  Counter asked_to_stop;
  Counter ended;
  Counter returned;
  std::atomic<int64_t> last_epoch = 0;
  std::unique_ptr<std::latch> wind_up;

 private:
  Client client_;
  LeaderElector elector_;
  std::jthread thread_;
};

std::string Holder(FakeApiServer& server) {
  Client client(server);
  return client.Get<api::Lease>({"korder-system", "lease"})->spec.holder_identity;
}

TEST_CASE("leader elector: leads, and on stop waits for the work and releases the lease",
          "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  a.Start();
  REQUIRE(a.began.Reaches(1));
  CHECK(a.leading());
  CHECK(a.last_epoch == 1);
  CHECK(Holder(server) == "a");
  a.Stop();
  REQUIRE(a.returned.Reaches(1));
  CHECK(a.ended.count() == 1);
  CHECK_FALSE(a.leading());
  CHECK(Holder(server).empty());
  CHECK(a.notes.seen() == std::vector<std::string>{"lease +", "lease -"});
}

TEST_CASE("leader elector: a successor begins when the leader stops, with a higher epoch",
          "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  Process b(server, clock, "b");
  a.Start();
  REQUIRE(a.began.Reaches(1));
  b.Start();
  CHECK(b.began.count() == 0);
  a.Stop();
  REQUIRE(b.began.Reaches(1));
  CHECK(a.ended.count() == 1);
  CHECK(b.last_epoch == 2);
}

TEST_CASE("leader elector: the lease is renewed until the work has ended", "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  Process b(server, clock, "b");
  a.wind_up = std::make_unique<std::latch>(1);
  a.Start();
  REQUIRE(a.began.Reaches(1));
  b.Start();
  a.Stop();
  REQUIRE(a.asked_to_stop.Reaches(1));
  Counter renewals;
  server.OnWrite({.after = [&](const ServedCall&) { renewals.Add(); }});
  REQUIRE(renewals.Reaches(5));
  CHECK(a.leading());
  CHECK(Holder(server) == "a");
  CHECK(b.began.count() == 0);
  server.OnWrite({});
  a.wind_up->count_down();
  REQUIRE(b.began.Reaches(1));
  CHECK(a.ended.count() == 1);
}

TEST_CASE("leader elector: a leader that cannot renew stops its work, and begins anew later",
          "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  a.Start();
  REQUIRE(a.began.Reaches(1));
  server.FailNext("", "leases", 503, 1'000'000);
  const MonoTime begin = clock.Mono();
  REQUIRE(a.asked_to_stop.Reaches(1));
  CHECK(clock.Mono() - begin < std::chrono::seconds(5));
  REQUIRE(a.ended.Reaches(1));
  CHECK(a.began.count() == 1);
  a.Stop();
  REQUIRE(a.returned.Reaches(1));
  CHECK(a.notes.seen() == std::vector<std::string>{"lease +", "lease -"});
}

TEST_CASE("leader elector: a leader whose lease another took stops its work and leads again later",
          "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  a.Start();
  REQUIRE(a.began.Reaches(1));
  Client thief(server);
  REQUIRE(thief
              .Patch<api::Lease>({"korder-system", "lease"}, {},
                                 R"({"spec": {"holderIdentity": "thief", "leaseTransitions": 7}})")
              .ok());
  REQUIRE(a.ended.Reaches(1));
  REQUIRE(a.began.Reaches(2));  // the thief is silent
  CHECK(a.last_epoch == 8);
}

TEST_CASE(
    "leader elector: work that ends by itself, or by an exception, gives the lease up for a "
    "while",
    "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Client client(server);
  LeaderElector elector(client, clock, Options("a"));
  std::vector<int64_t> epochs;
  std::stop_source stop;
  elector.Run(stop.get_token(), [&](std::stop_token, int64_t epoch) {
    epochs.push_back(epoch);
    if (epoch == 2) {
      throw std::runtime_error("no");
    }
    if (epoch == 3) {
      stop.request_stop();
    }
  });
  CHECK(epochs == std::vector<int64_t>{1, 2, 3});
  CHECK(Holder(server).empty());
}

TEST_CASE("leader elector: a stop ends the wait for the lease", "[elector]") {
  SystemClock clock;
  FakeApiServer server(clock);
  Process a(server, clock, "a");
  Process b(server, clock, "b");
  a.Start();
  REQUIRE(a.began.Reaches(1));
  b.Start();
  b.Stop();
  REQUIRE(b.returned.Reaches(1));
  CHECK(b.began.count() == 0);
  CHECK(Holder(server) == "a");
}

TEST_CASE("leader elector: a leader that stood still for its whole term writes nothing after it",
          "[elector]") {
  FakeClock clock;  // stands still, so that the elector's thread notices nothing
  FakeApiServer server(clock);
  Client client(server);
  LeaderElectionOptions options = Options("a");
  options.retry_period = absl::Milliseconds(300);
  LeaderElector elector(client, clock, options);
  LeaderTransport writing(server, [&elector] { return elector.leading(); });
  Client leader_client(writing);
  api::ConfigMap object;
  object.metadata.ns = "default";
  std::stop_source stop;
  absl::Status in_time;
  absl::Status late;
  absl::Status reading;
  elector.Run(stop.get_token(), [&](std::stop_token, int64_t) {
    object.metadata.name = "in-time";
    in_time = leader_client.Create(object, {}).status();
    clock.Advance(options.renew_deadline);
    object.metadata.name = "late";
    late = leader_client.Create(object, {}).status();
    reading = leader_client.Get<api::ConfigMap>({"default", "in-time"}, {}).status();
    stop.request_stop();
  });
  CHECK(in_time.ok());
  CHECK(absl::IsCancelled(late));
  CHECK(reading.ok());
  CHECK(server.Count("create", "configmaps") == 1);
}

}  // namespace
}  // namespace korder::kube
