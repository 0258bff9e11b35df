// Workers that reconcile keys from a queue. The reconciler looks at the world (its stores), never
// at the event that woke it.
//
//   kube::Controller controller("order", reconciler, clock, {.workers = 4});
//   orders.OnChange([&](auto* was, auto* is) { controller.Enqueue(KeyOf(is ? *is : *was)); });
//   controller.Run(stop);   // until stop; joins its workers
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/observer.h"
#include "kube/work_queue.h"

namespace korder::kube {

// What a reconcile wants next: nothing, or to be called again after a while.
class Result {
 public:
  static Result Done() { return Result(std::nullopt); }
  static Result After(absl::Duration delay) { return Result(delay); }
  static Result From(std::optional<absl::Duration> delay) { return Result(delay); }
  const std::optional<absl::Duration>& requeue_after() const { return requeue_after_; }

 private:
  explicit Result(std::optional<absl::Duration> delay) : requeue_after_(delay) {}
  std::optional<absl::Duration> requeue_after_;
};

// Thread-safe: called from several workers, never for one key at the same time.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  // An error is retried with back-off (or after the server's Retry-After), except INVALID_ARGUMENT,
  // which is logged, counted and left until the object changes, and CANCELLED, which is quiet.
  virtual absl::StatusOr<Result> Reconcile(const ObjectKey& key, std::stop_token stop) = 0;
};

struct ControllerOptions {
  int workers = 4;  // one at least
  BackoffPolicy backoff;
};

class Controller {
 public:
  // Borrows reconciler, clock, observer.
  Controller(std::string name, Reconciler& reconciler, const Clock& clock,
             ControllerOptions options = {}, Observer& observer = NoObserver());

  const std::string& name() const { return name_; }
  void Enqueue(const ObjectKey& key) { queue_.Add(key); }
  void EnqueueAfter(const ObjectKey& key, absl::Duration delay) { queue_.AddAfter(key, delay); }
  // Looks again at once at every key that failed, instead of after its back-off.
  void RetryFailed() { queue_.RetryFailed(); }
  // Blocks until stop is requested and every worker has ended. May be called again afterwards; what
  // was enqueued meanwhile is not lost.
  void Run(std::stop_token stop);
  // One turn of a worker: waits for a key and handles it; false once stop is requested.
  bool ProcessNext(std::stop_token stop);
  // As ProcessNext, but false when no key is due. For one thread that drives several controllers.
  bool ProcessDue(std::stop_token stop);
  // When ProcessDue will have something to do, if nothing is added.
  std::optional<MonoTime> NextDeadline() const { return queue_.NextDeadline(); }

 private:
  void Process(const ObjectKey& key, const std::stop_token& stop);
  // Does one thing with the key and reports it once.
  void Settle(const ObjectKey& key, const absl::StatusOr<Result>& result, absl::Duration took);

  const std::string name_;
  Reconciler& reconciler_;
  const Clock& clock_;
  const ControllerOptions options_;
  Observer& observer_;
  WorkQueue queue_;
};

}  // namespace korder::kube
