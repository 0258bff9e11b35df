#include "kube/controller.h"

#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"

namespace korder::kube {
namespace {

absl::StatusOr<Result> Guarded(Reconciler& reconciler, const ObjectKey& key, std::stop_token stop) {
  try {
    return reconciler.Reconcile(key, std::move(stop));
  } catch (const std::exception& e) {
    return InternalError(std::string("exception: ") + e.what());
  }
}

}  // namespace

Controller::Controller(std::string name, Reconciler& reconciler, const Clock& clock,
                       ControllerOptions options, Observer& observer)
    : name_(std::move(name)),
      reconciler_(reconciler),
      clock_(clock),
      options_(options),
      observer_(observer),
      queue_(name_, clock, options.backoff, observer) {}

void Controller::Run(std::stop_token stop) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < options_.workers; ++i) {
    workers.emplace_back([this, stop] {
      while (ProcessNext(stop)) {
      }
    });
  }
}

bool Controller::ProcessNext(std::stop_token stop) {
  const std::optional<ObjectKey> key = queue_.Get(stop);
  if (!key) {
    return false;
  }
  const MonoTime begin = clock_.Mono();
  const absl::StatusOr<Result> result = Guarded(reconciler_, *key, stop);
  const absl::Duration took = absl::FromChrono(clock_.Mono() - begin);
  const absl::Status& status = result.status();
  if (result.ok() && !result->requeue_after()) {
    queue_.Forget(*key);
    observer_.Reconciled(name_, "success", "", took);
  } else if (result.ok()) {
    queue_.Forget(*key);
    queue_.AddAfter(*key, *result->requeue_after());
    observer_.Reconciled(name_, "requeue", "", took);
  } else if (absl::IsCancelled(status)) {
    queue_.Add(*key);
  } else {
    const std::string type = absl::StatusCodeToString(status.code());
    observer_.Reconciled(name_, "error", type, took);
    if (IsTerminal(status)) {
      queue_.Forget(*key);
      log::Error("reconcile failed for good",
                 {{"controller", name_}, {"key", key->ToString()}, {"error", ToString(status)}});
    } else {
      log::Info("reconcile will be tried again",
                {{"controller", name_}, {"key", key->ToString()}, {"error", ToString(status)}});
      if (const absl::Duration wanted = RetryAfter(status); wanted > absl::ZeroDuration()) {
        queue_.AddAfter(*key, wanted);
      } else {
        queue_.AddRateLimited(*key);
      }
    }
  }
  queue_.Done(*key);
  return true;
}

}  // namespace korder::kube
