#include "base/mutex.h"

#include <thread>

#include <catch2/catch.hpp>

namespace korder {
namespace {

TEST_CASE("mutex: a wait ends when the predicate becomes true", "[mutex]") {
  Mutex mu;
  CondVar cv;
  bool ready = false;
  std::jthread setter([&] {
    {
      const MutexLock lock(mu);
      ready = true;
    }
    cv.NotifyOne();
  });
  const MutexLock lock(mu);
  CHECK(cv.Wait(mu, std::stop_token(), [&] { return ready; }));
}

TEST_CASE("mutex: a wait ends on a stop request and says that the predicate is false", "[mutex]") {
  Mutex mu;
  CondVar cv;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const MutexLock lock(mu);
  CHECK_FALSE(cv.Wait(mu, stop.get_token(), [] { return false; }));
}

TEST_CASE("mutex: a timed wait ends at its deadline", "[mutex]") {
  Mutex mu;
  CondVar cv;
  const MutexLock lock(mu);
  const auto past = std::chrono::steady_clock::now();
  CHECK_FALSE(cv.WaitUntil(mu, std::stop_token(), past, [] { return false; }));
}

}  // namespace
}  // namespace korder
