#include "kube/lease_candidate.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <random>

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"

namespace korder::kube {
namespace {

const ObjectKey kLease{"korder-system", "korder-order-svc"};

LeaderElectionOptions Options(std::string identity) {
  return {.name = "korder-order-svc", .identity = std::move(identity)};
}

LeaderElectionOptions OptionsIn(std::string place, std::string identity,
                                absl::Duration settle = absl::Seconds(1)) {
  LeaderElectionOptions options = Options(std::move(identity));
  options.place = std::move(place);
  options.settle_time = settle;
  return options;
}

// Two processes, one server, one clock.
struct Rig {
  FakeClock clock;
  FakeApiServer server{clock};
  Client client{server};
  LeaseCandidate a{client, clock, Options("a")};
  LeaseCandidate b{client, clock, Options("b")};

  api::Lease Lease() { return *client.Get<api::Lease>(kLease); }
  void Advance(double seconds) { clock.Advance(absl::Seconds(seconds)); }
};

TEST_CASE("lease candidate: the first makes the lease and leads in term 1", "[lease]") {
  Rig rig;
  rig.a.Turn({});
  REQUIRE(rig.a.leading());
  CHECK(rig.a.epoch() == 1);
  const api::LeaseSpec spec = rig.Lease().spec;
  CHECK(spec.holder_identity == "a");
  CHECK(spec.lease_duration_seconds == 6);
  CHECK(spec.acquire_time == api::MicroTime{rig.clock.Now()});
  CHECK(spec.renew_time == api::MicroTime{rig.clock.Now()});
}

TEST_CASE("lease candidate: a holder renews with one write a turn and no read", "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.server.ClearLog();
  for (int i = 0; i < 20; ++i) {
    rig.Advance(1);
    rig.a.Turn({});
    REQUIRE(rig.a.leading());
  }
  CHECK(rig.server.Log().size() == 20);
  CHECK(rig.server.Count("update", "leases") == 20);
  CHECK(rig.a.epoch() == 1);
  CHECK(rig.Lease().spec.renew_time == api::MicroTime{rig.clock.Now()});
}

TEST_CASE("lease candidate: another waits, and leads in the next term once the holder is silent",
          "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.b.Turn({});
  CHECK_FALSE(rig.b.leading());
  rig.Advance(5);
  rig.b.Turn({});
  CHECK_FALSE(rig.b.leading());
  CHECK(rig.b.NextTurn() == rig.clock.Mono() + std::chrono::seconds(1));
  rig.Advance(1);
  rig.b.Turn({});
  CHECK(rig.b.leading());
  CHECK(rig.b.epoch() == 2);
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
}

TEST_CASE("lease candidate: a released lease is taken at once, in the next term", "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.b.Turn({});
  rig.a.Release();
  CHECK_FALSE(rig.a.leading());
  CHECK(rig.Lease().spec.holder_identity.empty());
  rig.b.Turn({});
  CHECK(rig.b.leading());
  CHECK(rig.b.epoch() == 2);
}

TEST_CASE(
    "lease candidate: who begins where the holder died leads a second after it has looked, in the "
    "next term",
    "[lease]") {
  Rig rig;
  LeaseCandidate died(rig.client, rig.clock, OptionsIn("pod-1", "x"));
  died.Turn({});
  REQUIRE(died.leading());
  CHECK(rig.Lease().spec.holder_identity == "x_pod-1");
  rig.Advance(0.2);
  LeaseCandidate successor(rig.client, rig.clock, OptionsIn("pod-1", "y"));
  LeaseCandidate stranger(rig.client, rig.clock, OptionsIn("pod-2", "z"));
  successor.Turn({});
  stranger.Turn({});
  CHECK_FALSE(successor.leading());
  CHECK(successor.NextTurn() == rig.clock.Mono() + std::chrono::seconds(1));
  rig.Advance(1);
  stranger.Turn({});
  CHECK_FALSE(stranger.leading());
  successor.Turn({});
  CHECK(successor.leading());
  CHECK(successor.epoch() == 2);
  CHECK(rig.Lease().spec.holder_identity == "y_pod-1");
}

TEST_CASE("lease candidate: whom late requests cannot harm takes over at once", "[lease]") {
  Rig rig;
  LeaseCandidate died(rig.client, rig.clock, OptionsIn("pod-1", "x"));
  died.Turn({});
  LeaseCandidate successor(rig.client, rig.clock, OptionsIn("pod-1", "y", absl::ZeroDuration()));
  successor.Turn({});
  CHECK(successor.leading());
  CHECK(successor.epoch() == 2);
  // A renewal that the dead one had sent comes too late.
  died.Turn({});
  CHECK(rig.Lease().spec.holder_identity == "y_pod-1");
}

TEST_CASE("lease candidate: a stranger waits the whole term, also for one that has a place",
          "[lease]") {
  Rig rig;
  LeaseCandidate holder(rig.client, rig.clock, OptionsIn("pod-1", "x"));
  holder.Turn({});
  LeaseCandidate stranger(rig.client, rig.clock, OptionsIn("pod-2", "x"));
  for (int second = 0; second < 6; ++second) {
    stranger.Turn({});
    rig.b.Turn({});  // has no place
    CHECK_FALSE(stranger.leading());
    CHECK_FALSE(rig.b.leading());
    rig.Advance(1);
  }
  stranger.Turn({});
  CHECK(stranger.leading());
}

TEST_CASE("lease candidate: taking over from a predecessor, and the answer is lost", "[lease]") {
  Rig rig;
  LeaseCandidate died(rig.client, rig.clock, OptionsIn("pod-1", "x"));
  died.Turn({});
  LeaseCandidate successor(rig.client, rig.clock, OptionsIn("pod-1", "y", absl::ZeroDuration()));
  SECTION("it did happen") { rig.server.LoseNextResponse("update", "leases"); }
  SECTION("it did not") { rig.server.LoseNextRequest("update", "leases"); }
  successor.Turn({});
  CHECK_FALSE(successor.leading());
  rig.Advance(1);
  successor.Turn({});
  CHECK(successor.leading());
  CHECK(successor.epoch() == 2);
}

TEST_CASE("lease candidate: two that are told the same place by mistake do not take turns",
          "[lease]") {
  Rig rig;
  LeaseCandidate first(rig.client, rig.clock, OptionsIn("pod-1", "x"));
  first.Turn({});
  LeaseCandidate second(rig.client, rig.clock, OptionsIn("pod-1", "y"));
  second.Turn({});
  rig.Advance(1);
  second.Turn({});
  CHECK(second.leading());
  first.Turn({});  // a conflict
  for (int i = 0; i < 20; ++i) {
    first.Turn({});
    second.Turn({});
    CHECK_FALSE(first.leading());
    CHECK(second.leading());
    rig.Advance(1);
  }
  CHECK(second.epoch() == 2);
}

TEST_CASE("lease candidate: who does not lead has nothing to release", "[lease]") {
  Rig rig;
  rig.b.Release();
  rig.a.Turn({});
  rig.b.Turn({});
  rig.server.ClearLog();
  rig.b.Release();
  CHECK(rig.server.Log().empty());
}

TEST_CASE("lease candidate: of two that find no lease one leads", "[lease]") {
  Rig rig;
  rig.server.OnWrite({.before = [&](const ServedCall&) {
    rig.server.OnWrite({});
    rig.b.Turn({});
  }});
  rig.a.Turn({});
  CHECK(rig.b.leading());
  CHECK_FALSE(rig.a.leading());
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
}

TEST_CASE("lease candidate: without an API server the holder steps down after its deadline",
          "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.server.LoseNextRequest("", "leases", 1000);
  for (int i = 1; i <= 3; ++i) {
    rig.Advance(1);
    rig.a.Turn({});
    CHECK(rig.a.leading());
  }
  CHECK(rig.a.NextTurn() == rig.clock.Mono() + std::chrono::seconds(1));
  rig.Advance(1);
  CHECK_FALSE(rig.a.leading());  // also before it notices
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
}

TEST_CASE("lease candidate: a renewal whose answer is lost costs no leadership", "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.Advance(3);
  rig.server.LoseNextResponse("update", "leases");
  rig.a.Turn({});
  CHECK(rig.a.leading());
  // It did happen: the term counts from its beginning, and the next renewal is on its version.
  rig.Advance(0.5);
  rig.a.Turn({});
  rig.Advance(3.9);
  CHECK(rig.a.leading());
  CHECK(rig.a.epoch() == 1);
}

TEST_CASE("lease candidate: taking a lease whose answer is lost is leading all the same",
          "[lease]") {
  Rig rig;
  rig.server.LoseNextResponse("create", "leases");
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
  rig.Advance(1);
  rig.a.Turn({});
  CHECK(rig.a.leading());
  CHECK(rig.a.epoch() == 1);
}

TEST_CASE("lease candidate: a lost answer is found by Release too", "[lease]") {
  Rig rig;
  rig.server.LoseNextResponse("create", "leases");
  rig.a.Turn({});
  rig.a.Release();
  CHECK(rig.Lease().spec.holder_identity.empty());
}

TEST_CASE("lease candidate: somebody else's change of the lease is no loss of it", "[lease]") {
  Rig rig;
  rig.a.Turn({});
  REQUIRE(rig.client.Patch<api::Lease>(kLease, {}, R"({"metadata": {"labels": {"l": "1"}}})").ok());
  rig.Advance(1);
  rig.a.Turn({});  // a conflict
  CHECK(rig.a.leading());
  rig.Advance(1);
  rig.a.Turn({});
  CHECK(rig.a.leading());
  CHECK(rig.Lease().spec.renew_time == api::MicroTime{rig.clock.Now()});
  CHECK(rig.Lease().metadata.labels.contains("l"));
}

TEST_CASE(
    "lease candidate: who was cut off and comes back too late does not lead again in its term",
    "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.Advance(3);
  rig.server.LoseNextResponse("update", "leases");
  rig.a.Turn({});
  rig.server.LoseNextRequest("get", "leases");
  rig.Advance(1);
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
  // The lost renewal is its own, but the work has been told to stop: a new term or none.
  rig.Advance(0.5);
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
  rig.Advance(6);
  rig.a.Turn({});
  CHECK(rig.a.leading());
  CHECK(rig.a.epoch() == 2);
}

TEST_CASE("lease candidate: a process that slept while it took the lease does not lead",
          "[lease]") {
  Rig rig;
  rig.server.OnWrite({.after = [&](const ServedCall&) { rig.Advance(5); }});
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
}

TEST_CASE("lease candidate: a deleted lease is nobody's; the next term has a higher epoch",
          "[lease]") {
  Rig rig;
  rig.a.Turn({});
  rig.b.Turn({});
  REQUIRE(rig.client.Delete<api::Lease>(kLease).ok());
  rig.Advance(1);
  rig.b.Turn({});
  CHECK_FALSE(rig.b.leading());  // the holder may not know yet
  rig.a.Turn({});
  rig.a.Turn({});
  CHECK_FALSE(rig.a.leading());
  rig.Advance(6);
  rig.b.Turn({});
  CHECK(rig.b.leading());
  CHECK(rig.b.epoch() == 2);
}

// Notes the time-outs of calls.
class Timeouts final : public HttpTransport {
 public:
  explicit Timeouts(HttpTransport& next) : next_(next) {}
  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override {
    last = options.timeout;
    return next_.Do(request, options);
  }
  absl::StatusOr<StreamResponse> Open(const HttpRequest&, const CallOptions&) override {
    return UnavailableError("no streams here");
  }
  absl::Duration last;

 private:
  HttpTransport& next_;
};

TEST_CASE("lease candidate: no call of a holder outlasts its term", "[lease]") {
  FakeClock clock;
  FakeApiServer server(clock);
  Timeouts transport(server);
  Client client(transport);
  LeaseCandidate a(client, clock, Options("a"));
  a.Turn({});
  CHECK(transport.last == absl::Seconds(2));
  clock.Advance(absl::Seconds(1));
  a.Turn({});
  CHECK(transport.last == absl::Seconds(2));
  clock.Advance(absl::Milliseconds(3200));
  a.Turn({});
  CHECK(transport.last == absl::Milliseconds(800));
}

TEST_CASE("lease candidate: impossible timings are refused", "[lease]") {
  CHECK(Validate(Options("a")).ok());
  const auto with = [](const std::function<void(LeaderElectionOptions&)>& change) {
    LeaderElectionOptions options = Options("a");
    change(options);
    return Validate(options).code();
  };
  using O = LeaderElectionOptions;
  const auto bad = absl::StatusCode::kInvalidArgument;
  CHECK(with([](O& o) { o.lease_duration = o.renew_deadline; }) == bad);
  CHECK(with([](O& o) { o.renew_deadline = o.retry_period; }) == bad);
  CHECK(with([](O& o) { o.retry_period = absl::ZeroDuration(); }) == bad);
  CHECK(with([](O& o) { o.identity.clear(); }) == bad);
  CHECK(with([](O& o) { o.name.clear(); }) == bad);
  CHECK(with([](O& o) { o.ns.clear(); }) == bad);
  CHECK(with([](O& o) { o.place = "pod_1"; }) == bad);
  CHECK(with([](O& o) { o.settle_time = -absl::Seconds(1); }) == bad);
  CHECK(with([](O& o) { o.settle_time = absl::Seconds(7); }) == bad);
}

// --- the model: processes whose clocks run at different speeds, an unreliable server ---

struct Process {
  Process(FakeApiServer& server, std::string where, double clock_speed)
      : place(std::move(where)), speed(clock_speed), client(server) {
    Restart();
  }
  // What ran here has ended.
  void Restart() {
    const std::string identity = std::to_string(++starts);
    // Some take over at once.
    candidate.emplace(client, clock, OptionsIn(place, identity, absl::Seconds(starts % 2)));
    epoch = 0;
  }

  const std::string place;
  FakeClock clock;
  double speed;
  Client client;
  std::optional<LeaseCandidate> candidate;
  int starts = 0;
  bool busy = false;  // in the middle of a call
  int64_t epoch = 0;  // of its last term, 0 when it does not lead
};

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    for (const auto& [name, speed] :
         {std::pair("a", 1.0), std::pair("b", 1.1), std::pair("c", 0.9)}) {
      processes_.emplace_back(server_, name, speed);
    }
    server_.OnWrite({.before = [this](const ServedCall&) { Meanwhile(); },
                     .after = [this](const ServedCall&) { Meanwhile(); }});
  }

  void Step() {
    Process& process = processes_[Roll(processes_.size())];
    if (Roll(10) == 0) {
      Break();
    }
    Act(process);
    Pass(absl::Milliseconds(Roll(4) == 0 ? Roll(4000) : Roll(400)));
  }
  // The faults end; how long until somebody leads?
  absl::Duration Heal() {
    faults_ = false;
    absl::Duration waited;
    for (; Leaders() == 0 && waited < absl::Minutes(1); waited += absl::Milliseconds(100)) {
      for (Process& process : processes_) {
        Act(process);
      }
      Pass(absl::Milliseconds(100));
    }
    return waited;
  }
  int64_t terms() const { return newest_epoch_; }
  int64_t deaths_of_leaders() const { return deaths_of_leaders_; }

 private:
  unsigned Roll(size_t sides) { return static_cast<unsigned>(random_() % sides); }

  int Leaders() {
    return static_cast<int>(std::count_if(processes_.begin(), processes_.end(),
                                          [](Process& p) { return p.candidate->leading(); }));
  }

  void Act(Process& process) {
    process.busy = true;
    if (process.candidate->leading() && Roll(30) == 0 && faults_) {
      process.candidate->Release();
    } else if (Roll(20) == 0 && faults_) {
      deaths_of_leaders_ += process.candidate->leading() ? 1 : 0;
      process.Restart();
    } else {
      process.candidate->Turn({});
    }
    process.busy = false;
    Check();
  }

  // While a write is under way the others go on and time passes.
  void Meanwhile() {
    if (depth_ >= 2 || !faults_) {
      return;
    }
    ++depth_;
    if (Roll(3) == 0) {
      Process& other = processes_[Roll(processes_.size())];
      if (!other.busy) {
        Act(other);
      }
    }
    if (Roll(5) == 0) {
      Pass(absl::Milliseconds(Roll(5000)));
    }
    --depth_;
  }

  void Break() {
    switch (Roll(6)) {
      case 0:
        return server_.LoseNextRequest("", "leases", 1 + static_cast<int>(Roll(4)));
      case 1:
        return server_.LoseNextResponse("", "leases", 1 + static_cast<int>(Roll(4)));
      case 2:
        return server_.DuplicateNext("update", "leases");
      case 3:
        return server_.FailNext("", "leases", 503, 1 + static_cast<int>(Roll(4)));
      default:
        // Somebody else touches the Lease.
        processes_[0]
            .client
            .Patch<api::Lease>(
                kLease, {},
                "{\"metadata\":{\"annotations\":{\"n\":\"" + std::to_string(random_()) + "\"}}}")
            .status()
            .IgnoreError();
    }
  }

  void Pass(absl::Duration time) {
    // In small steps: nobody may lead beside another at any instant.
    for (absl::Duration left = time; left > absl::ZeroDuration(); left -= absl::Milliseconds(50)) {
      for (Process& process : processes_) {
        process.clock.Advance(absl::Milliseconds(50) * process.speed);
      }
      Check();
    }
  }

  void Check() {
    REQUIRE(Leaders() <= 1);
    for (Process& process : processes_) {
      if (!process.candidate->leading()) {
        process.epoch = 0;
      } else if (process.epoch == 0) {
        process.epoch = process.candidate->epoch();
        REQUIRE(process.epoch > newest_epoch_);
        newest_epoch_ = process.epoch;
      } else {
        REQUIRE(process.epoch == process.candidate->epoch());
      }
    }
  }

  std::mt19937 random_;
  FakeClock server_clock_;
  FakeApiServer server_{server_clock_};
  std::deque<Process> processes_;
  int depth_ = 0;
  bool faults_ = true;
  int64_t newest_epoch_ = 0;
  int64_t deaths_of_leaders_ = 0;
};

TEST_CASE(
    "lease candidate: whatever happens there are never two holders, every term has a higher "
    "epoch, and after the faults somebody leads",
    "[lease]") {
  int64_t terms = 0;
  int64_t deaths = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    Model model(seed);
    for (int i = 0; i < 300; ++i) {
      model.Step();
    }
    REQUIRE(model.Heal() <= absl::Seconds(12));
    terms += model.terms();
    deaths += model.deaths_of_leaders();
  }
  CHECK(terms > 60 * 5);  // the faults did make leaders change
  CHECK(deaths > 60);
}

}  // namespace
}  // namespace korder::kube
