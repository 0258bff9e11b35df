// The manager together with the real leader elector, over a Lease in memory.
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "api/core/lease.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "json/fields.h"
#include "kube/client.h"
#include "runtime/manager.h"

namespace korder::runtime {
namespace {

using Lines = std::vector<std::string>;

// An API server that knows one Lease, and a record of what happened, in order.
class World final : public kube::HttpTransport {
 public:
  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions&) override {
    if (request.method == "GET") {
      return Get();
    }
    api::Lease lease;
    RETURN_IF_ERROR(json::Parse(request.body, lease));
    return request.method == "POST" || lease.metadata.resource_version == Version()
               ? Put(std::move(lease))
               : Answer(409, R"({"kind":"Status","reason":"Conflict","code":409})");
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest&,
                                            const kube::CallOptions&) override {
    return InternalError("a Lease is not watched");
  }

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
  // Somebody writes the Lease past the elector.
  void HandTo(const std::string& holder) {
    api::Lease lease;
    {
      const MutexLock lock(mu_);
      lease = *lease_;
    }
    lease.spec.holder_identity = holder;
    ++lease.spec.lease_transitions;  // the epoch
    Put(std::move(lease));
  }

 private:
  static kube::HttpResponse Answer(int status, std::string body) {
    return {.status = status, .body = std::move(body), .retry_after = {}};
  }
  kube::HttpResponse Get() const {
    const MutexLock lock(mu_);
    return lease_ ? Answer(200, json::Print(*lease_))
                  : Answer(404, R"({"kind":"Status","reason":"NotFound","code":404})");
  }
  std::string Version() const {
    const MutexLock lock(mu_);
    return std::to_string(version_);
  }
  kube::HttpResponse Put(api::Lease lease) {
    bool other_holder = false;
    {
      const MutexLock lock(mu_);
      lease.metadata.resource_version = std::to_string(++version_);
      other_holder = !lease_ || lease_->spec.holder_identity != lease.spec.holder_identity;
      lease_ = lease;
    }
    if (other_holder) {
      Add("lease: " + lease.spec.holder_identity);
    }
    return Answer(200, json::Print(lease));
  }

  mutable Mutex mu_;
  CondVar changed_;
  std::optional<api::Lease> lease_ ABSL_GUARDED_BY(mu_);
  int version_ ABSL_GUARDED_BY(mu_) = 0;
  Lines lines_ ABSL_GUARDED_BY(mu_);
};

void WaitFor(std::stop_token stop) {
  Mutex mu;
  CondVar never_signalled;
  const MutexLock lock(mu);
  never_signalled.Wait(mu, std::move(stop), [] { return false; });
}

struct Service {
  Service() {
    manager.AddServer("server", [this](std::stop_token stop) {
      WaitFor(stop);
      world.Add("-server");
      return absl::OkStatus();
    });
    manager.AddWhileLeading("leading", [this](std::stop_token stop, int64_t epoch) {
      world.Add("+leading " + std::to_string(epoch));
      WaitFor(stop);
      world.Add("-leading " + std::to_string(epoch));
    });
    thread = std::jthread([this](std::stop_token stop) { ended = manager.Run(stop, &elector); });
  }
  absl::Status Stop() {
    thread.request_stop();
    thread.join();
    return ended;
  }

  World world;
  SystemClock clock;
  kube::Client client{world};
  kube::LeaderElector elector{client,
                              clock,
                              {.ns = "korder-system",
                               .name = "korder-order-svc",
                               .identity = "me",
                               .lease_duration = absl::Milliseconds(400),
                               .renew_deadline = absl::Milliseconds(300),
                               .retry_period = absl::Milliseconds(10)}};
  Manager manager{clock};
  absl::Status ended;
  std::jthread thread;
};

}  // namespace

TEST_CASE("manager: the lease is released last of all", "[manager]") {
  Service service;
  CHECK(service.world.First(2) == Lines{"lease: me", "+leading 1"});
  CHECK(service.elector.leading());
  CHECK(service.Stop().ok());
  CHECK(service.world.First(5) ==
        Lines{"lease: me", "+leading 1", "-leading 1", "-server", "lease: "});
}

TEST_CASE("manager: work stops when the lease is lost and begins anew with a higher epoch",
          "[manager]") {
  Service service;
  service.world.First(2);
  service.world.HandTo("other");
  CHECK(service.world.First(4) == Lines{"lease: me", "+leading 1", "lease: other", "-leading 1"});
  service.world.HandTo("");
  const Lines all = service.world.First(7);
  REQUIRE(all.size() == 7);
  CHECK(all[4] == "lease: ");
  CHECK(all[5] == "lease: me");
  CHECK(all[6] == "+leading 4");
  CHECK(service.Stop().ok());
  CHECK(service.world.First(10).back() == "lease: ");
}

}  // namespace korder::runtime
