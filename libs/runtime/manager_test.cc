#include "runtime/manager.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "runtime/health.h"

namespace korder::runtime {
namespace {

using Lines = std::vector<std::string>;

// What happened, in order.
class Record {
 public:
  void Add(const std::string& line) {
    {
      const MutexLock lock(mu_);
      lines_.push_back(line);
    }
    changed_.NotifyAll();
  }
  // Waits until `n` lines are there; fewer after ten seconds, and the test fails on its own.
  Lines First(size_t n) {
    const MutexLock lock(mu_);
    changed_.WaitUntil(mu_, {}, std::chrono::steady_clock::now() + std::chrono::seconds(10),
                       [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return lines_.size() >= n; });
    return lines_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  Lines lines_ ABSL_GUARDED_BY(mu_);
};

void WaitFor(std::stop_token stop) {
  Mutex mu;
  CondVar never_signalled;
  const MutexLock lock(mu);
  never_signalled.Wait(mu, std::move(stop), [] { return false; });
}

class FakeInformer final : public kube::InformerBase {
 public:
  explicit FakeInformer(Record& record) : record_(record) {}
  std::string_view resource() const override { return "tickets"; }
  void Run(std::stop_token stop) override {
    record_.Add("+informer");
    WaitFor(stop);
    record_.Add("-informer");
  }
  bool synced() const override {
    const MutexLock lock(mu_);
    return synced_;
  }
  bool WaitForSync(std::stop_token stop) override {
    const MutexLock lock(mu_);
    return changed_.Wait(mu_, stop,
                         [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return synced_; });
  }
  void Sync() {
    {
      const MutexLock lock(mu_);
      synced_ = true;
    }
    changed_.NotifyAll();
  }

 private:
  Record& record_;
  mutable Mutex mu_;
  CondVar changed_;
  bool synced_ ABSL_GUARDED_BY(mu_) = false;
};

// A manager with one part of each kind, each of which records its start and its end.
struct Service {
  Service() {
    manager.AddServer("server", [this](std::stop_token stop) {
      Part("server", stop);
      return absl::OkStatus();
    });
    manager.AddInformer(informer);
    manager.AddBackground("background", [this](std::stop_token stop) { Part("background", stop); });
    manager.AddWhileLeading("leading", [this](std::stop_token stop, int64_t epoch) {
      Part("leading " + std::to_string(epoch), stop);
    });
  }
  void Part(const std::string& name, std::stop_token stop) {
    record.Add("+" + name);
    WaitFor(std::move(stop));
    record.Add("-" + name);
  }
  void Start() {
    thread = std::jthread([this](std::stop_token stop) { ended = manager.Run(stop, nullptr); });
  }
  absl::Status Stop() {
    thread.request_stop();
    return Join();
  }
  absl::Status Join() {
    thread.join();
    return ended;
  }

  Record record;
  FakeClock clock;
  FakeInformer informer{record};
  Manager manager{clock};
  absl::Status ended;
  std::jthread thread;
};

Lines Sorted(Lines lines, size_t from, size_t to) {
  Lines part(lines.begin() + static_cast<std::ptrdiff_t>(from),
             lines.begin() + static_cast<std::ptrdiff_t>(std::min(to, lines.size())));
  std::sort(part.begin(), part.end());
  return part;
}

}  // namespace

TEST_CASE("manager: work begins once informers are synced and ends in reverse", "[manager]") {
  Service service;
  service.Start();
  CHECK(Sorted(service.record.First(2), 0, 9) == Lines{"+informer", "+server"});
  service.informer.Sync();
  CHECK(Sorted(service.record.First(4), 2, 4) == Lines{"+background", "+leading 0"});
  CHECK(service.Stop().ok());
  const Lines all = service.record.First(8);
  REQUIRE(all.size() == 8);
  CHECK(Lines(all.begin() + 4, all.end()) ==
        Lines{"-leading 0", "-background", "-informer", "-server"});
}

TEST_CASE("manager: a stop before the informers are synced starts no work", "[manager]") {
  Service service;
  service.Start();
  service.record.First(2);
  CHECK(service.Stop().ok());
  const Lines all = service.record.First(4);
  REQUIRE(all.size() == 4);
  CHECK(Lines(all.begin() + 2, all.end()) == Lines{"-informer", "-server"});
}

TEST_CASE("manager: a stop before the start ends at once", "[manager]") {
  Service service;
  std::stop_source stop;
  stop.request_stop();
  CHECK(service.manager.Run(stop.get_token(), nullptr).ok());
}

TEST_CASE("manager: a server that fails ends the service, which names it", "[manager]") {
  Service service;
  service.informer.Sync();
  service.manager.AddServer("grpc", [&](std::stop_token) {
    service.record.First(4);
    return UnavailableError("listen on 0.0.0.0:9090: taken");
  });
  service.Start();
  CHECK(ToString(service.Join()) == "UNAVAILABLE: grpc: listen on 0.0.0.0:9090: taken");
  CHECK(service.record.First(8).back() == "-server");
}

TEST_CASE("manager: a server that returns without being asked to is a failure", "[manager]") {
  Service service;
  service.manager.AddServer("grpc", [](std::stop_token) { return absl::OkStatus(); });
  service.Start();
  CHECK(ToString(service.Join()) == "INTERNAL: grpc: ended by itself");
}

TEST_CASE("manager: an exception in any part ends the service, which names the part", "[manager]") {
  Service service;
  service.informer.Sync();
  const auto fail = [](std::stop_token) -> void { throw std::runtime_error("oops"); };
  SECTION("background") { service.manager.AddBackground("part", fail); }
  SECTION("leading") {
    service.manager.AddWhileLeading("part", [&](std::stop_token stop, int64_t) { fail(stop); });
  }
  SECTION("server") {
    service.manager.AddServer("part", [&](std::stop_token stop) {
      fail(stop);
      return absl::OkStatus();
    });
  }
  service.Start();
  CHECK(ToString(service.Join()) == "INTERNAL: part: uncaught exception: oops");
}

TEST_CASE("manager: background work that is done does not end the service", "[manager]") {
  Service service;
  service.informer.Sync();
  service.manager.AddBackground("once", [&](std::stop_token) { service.record.Add("once"); });
  service.Start();
  CHECK(service.record.First(5).size() == 5);
  CHECK(service.Stop().ok());
}

TEST_CASE("manager: Ready says what is missing, one line each", "[manager][health]") {
  Service service;
  Metrics metrics("order-svc");
  std::atomic<bool> reachable = false;
  service.manager.AddReadyCheck("quota-svc", [&] {
    return reachable ? absl::OkStatus() : UnavailableError("not reachable");
  });
  const HttpHandler handler = HealthAndMetrics(service.manager, metrics);
  CHECK(handler({.method = "GET", .target = "/healthz", .body = ""}).status == 200);
  HttpServerResponse ready = handler({.method = "GET", .target = "/readyz?verbose", .body = ""});
  CHECK(ready.status == 503);
  CHECK(ready.body == "service: is starting\n");

  service.Start();
  service.record.First(2);
  for (int i = 0; i < 1000 && ready.body == "service: is starting\n"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ready = handler({.method = "GET", .target = "/readyz?verbose", .body = ""});
  }
  CHECK(ready.body == "informer tickets: not synced yet\nquota-svc: not reachable\n");
  service.informer.Sync();
  service.record.First(4);
  ready = handler({.method = "GET", .target = "/readyz", .body = ""});
  CHECK(ready.status == 503);
  CHECK(ready.body == "quota-svc: not reachable\n");
  reachable = true;
  CHECK(service.manager.Ready().ok());
  ready = handler({.method = "GET", .target = "/readyz", .body = ""});
  CHECK(ready.status == 200);
  CHECK(ready.body == "ok\n");

  CHECK(service.Stop().ok());
  CHECK(ToString(service.manager.Ready()) == "UNAVAILABLE: service: is stopping");
}

TEST_CASE("health: metrics are served as text, other paths and methods are refused", "[health]") {
  FakeClock clock;
  Manager manager(clock);
  Metrics metrics("order-svc");
  const HttpHandler handler = HealthAndMetrics(manager, metrics);
  const HttpServerResponse text = handler({.method = "GET", .target = "/metrics", .body = ""});
  CHECK(text.status == 200);
  CHECK(text.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK_THAT(text.body, Catch::Contains("korder_build_info{"));
  CHECK(handler({.method = "GET", .target = "/metricsx", .body = ""}).status == 404);
  CHECK(handler({.method = "POST", .target = "/metrics", .body = ""}).status == 405);
}

}  // namespace korder::runtime
