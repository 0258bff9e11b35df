// When this process last saw a sign that the scheduler may have lost its watch: the API server did
// not answer or failed, a watch of our own broke, another scheduler took over.
//
//   Disturbance disturbance(metrics.kube_observer(), clock);
//   kube::Client client(*transport, disturbance);      // forwards to the metrics
//   disturbance.Ago();
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "kube/observer.h"

namespace korder::ticket {

class Disturbance final : public kube::Observer {
 public:
  // Borrows both. What is observed is passed on to `next`.
  Disturbance(kube::Observer& next, const Clock& clock) : next_(next), clock_(clock) {}

  void Note();
  // Infinite when there never was one.
  absl::Duration Ago() const;
  // Grows with every sign.
  uint64_t Count() const { return count_; }

  void Request(std::string_view verb, std::string_view resource, int code,
               absl::Duration took) override;
  void WatchRestart(std::string_view resource, std::string_view reason) override;

 private:
  static constexpr int64_t kNever = INT64_MIN;

  kube::Observer& next_;
  const Clock& clock_;
  std::atomic<uint64_t> count_{0};
  std::atomic<int64_t> at_{kNever};  // nanoseconds of the monotonic clock
};

}  // namespace korder::ticket
