#include "machine.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/mutex.h"
#include "base/pause.h"
#include "base/thread.h"

namespace korder::simulation {
namespace {

struct Computer {
  void RunAll() {
    while (machine.Turn()) {
    }
  }
  Machine machine{1};
  HostScope scope{machine};
  Process process{.name = "p"};
  std::vector<std::string> said;
};

TEST_CASE("machine: a pause takes simulated time and no other", "[simulation]") {
  Computer c;
  const MonoTime begin = c.machine.Mono();
  c.machine.Start(c.process, [&] {
    CHECK(Pause(absl::Hours(5), {}));
    c.said.push_back("rested");
  });
  c.RunAll();
  CHECK(c.said == std::vector<std::string>{"rested"});
  CHECK(c.machine.Mono() - begin == std::chrono::hours(5));
  CHECK(c.machine.threads() == 0);
}

TEST_CASE("machine: one who waits is woken by a notification, not by time", "[simulation]") {
  Computer c;
  Mutex mu;
  CondVar changed;
  bool ready = false;
  c.machine.Start(c.process, [&] {
    const MutexLock lock(mu);
    CHECK(changed.Wait(mu, {}, [&] { return ready; }));
    c.said.push_back("ready");
  });
  c.machine.After(absl::Seconds(3), [&] {
    {
      const MutexLock lock(mu);
      ready = true;
    }
    changed.NotifyAll();
  });
  c.RunAll();
  CHECK(c.said == std::vector<std::string>{"ready"});
}

TEST_CASE("machine: a wait ends on a stop request and at its deadline", "[simulation]") {
  Computer c;
  std::stop_source stop;
  c.machine.Start(c.process, [&] {
    CHECK_FALSE(Pause(absl::Hours(1), stop.get_token()));
    c.said.push_back("stopped");
  });
  c.machine.After(absl::Seconds(1), [&] { stop.request_stop(); });
  c.machine.Start(c.process, [&] {
    Mutex mu;
    CondVar changed;
    const MutexLock lock(mu);
    CHECK_FALSE(
        changed.WaitUntil(mu, {}, SteadyNow() + std::chrono::seconds(2), [] { return false; }));
    c.said.push_back("late");
  });
  c.RunAll();
  CHECK(c.said == std::vector<std::string>{"stopped", "late"});
}

TEST_CASE("machine: threads are joined, and belong to the process of who started them",
          "[simulation]") {
  Computer c;
  c.machine.Start(c.process, [&] {
    {
      const Thread helper([&] {
        CHECK(c.machine.current_process() == &c.process);
        Pause(absl::Seconds(1), {});
        c.said.push_back("helper");
      });
    }
    c.said.push_back("starter");
  });
  c.RunAll();
  CHECK(c.said == std::vector<std::string>{"helper", "starter"});
  CHECK(c.process.threads == 0);
}

TEST_CASE("machine: a process that stands still does nothing until its time has come",
          "[simulation]") {
  Computer c;
  const MonoTime begin = c.machine.Mono();
  c.process.frozen_until = begin + std::chrono::seconds(10);
  c.machine.Start(c.process, [&] {
    Pause(absl::Seconds(1), {});
    CHECK(c.machine.Mono() - begin >= std::chrono::seconds(10));
    c.said.push_back("thawed");
  });
  c.RunAll();
  CHECK(c.said == std::vector<std::string>{"thawed"});
}

}  // namespace
}  // namespace korder::simulation
