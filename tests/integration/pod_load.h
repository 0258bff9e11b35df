// Creates pods at a steady rate while a test does something else, and counts what fails.
//
//   PodLoad load(cluster.client(), {.ns = ns, .per_second = 20});
//   cluster.Shell("kubectl -n korder-system delete secret korder-ca");
//   const PodLoad::Result result = load.Stop();
//   CHECK(result.failed == 0);
//
// Open loop: each request has its time, however slow the others are. The requests are dry runs, so
// they go through all of admission and leave nothing behind. Not thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "kube/client.h"

namespace korder::integration {

// The JSON of a pod that asks for a ticket; `fallback` says what to do without one.
std::string AskingPodJson(const std::string& name, const std::string& fallback);
// Of one that does not ask. With a gate of somebody else's nobody tries to schedule it.
std::string BystanderJson(const std::string& name, bool gated);

class PodLoad {
 public:
  struct Options {
    std::string ns;
    double per_second = 20;
    int most_at_once = 32;
    // Asks ticket-svc about every one of so many pods, and is refused without a Ready ticket.
    int deny_every = 0;
  };
  struct Result {
    int sent = 0;
    int failed = 0;
    std::string first_error;
    double per_second = 0;  // really
  };

  // Borrows the client.
  PodLoad(kube::Client& client, Options options);
  // Sends no more, and waits for what is under way.
  Result Stop();

 private:
  void Work(std::stop_token stop);
  void Send(int number);

  kube::Client& client_;
  const Options options_;
  const absl::Time start_;
  std::atomic<int> next_ = 0;
  std::atomic<int> sent_ = 0;
  std::atomic<int> failed_ = 0;
  Mutex mu_;
  std::string first_error_ ABSL_GUARDED_BY(mu_);
  std::vector<std::jthread> workers_;
};

}  // namespace korder::integration
