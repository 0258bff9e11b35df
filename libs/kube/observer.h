// What libs/kube tells about itself, without knowing of any metrics library. libs/runtime turns it
// into Prometheus metrics.
#pragma once

#include <string_view>

#include "absl/time/time.h"

namespace korder::kube {

// Thread-safe; called often, must be cheap. All views are valid only during the call.
class Observer {
 public:
  virtual ~Observer() = default;

  // One exchange with the API server; code is the HTTP status or 0 when there was no answer.
  virtual void Request(std::string_view /*verb*/, std::string_view /*resource*/, int /*code*/,
                       absl::Duration /*took*/) {}
  virtual void WatchRestart(std::string_view /*resource*/, std::string_view /*reason*/) {}
  virtual void QueueDepth(std::string_view /*queue*/, int /*depth*/) {}
  virtual void QueueAdd(std::string_view /*queue*/) {}
  virtual void QueueRetry(std::string_view /*queue*/) {}
  // From the moment an item was due until a worker took it.
  virtual void QueueWait(std::string_view /*queue*/, absl::Duration /*waited*/) {}
  // result: "success", "requeue", "error"; error_type is the status code's name or "".
  virtual void Reconciled(std::string_view /*controller*/, std::string_view /*result*/,
                          std::string_view /*error_type*/, absl::Duration /*took*/) {}
  virtual void Leading(std::string_view /*lease*/, bool /*leading*/) {}
  virtual void EventDropped(std::string_view /*reason*/) {}
};

// One that ignores everything.
Observer& NoObserver();

}  // namespace korder::kube
