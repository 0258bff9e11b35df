#include "kube/controller.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/thread.h"

namespace korder::kube {
namespace {

enum class Outcome { kSuccess, kRequeue, kCancelled, kTerminal, kRetryAfter, kRetry };

Outcome OutcomeOf(const absl::StatusOr<Result>& result) {
  if (result.ok()) {
    return result->requeue_after() ? Outcome::kRequeue : Outcome::kSuccess;
  }
  if (absl::IsCancelled(result.status())) {
    return Outcome::kCancelled;
  }
  if (IsTerminal(result.status())) {
    return Outcome::kTerminal;
  }
  return RetryAfter(result.status()) > absl::ZeroDuration() ? Outcome::kRetryAfter
                                                            : Outcome::kRetry;
}

// A failure that is part of normal life is no line in a log that people read.
void LogFailure(std::string_view controller, const ObjectKey& key, const absl::Status& status) {
  constexpr std::string_view kMessage = "reconcile failed";
  const log::Fields fields = {
      {"controller", controller}, {"key", key.ToString()}, {"error", ToString(status)}};
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
      return log::Debug(kMessage, fields);
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return log::Warn(kMessage, fields);
    default:
      return log::Error(kMessage, fields);
  }
}

absl::StatusOr<Result> Guarded(Reconciler& reconciler, const ObjectKey& key,
                               const std::stop_token& stop) {
  try {
    return reconciler.Reconcile(key, stop);
  } catch (const std::exception& e) {
    return InternalError(std::string("exception: ") + e.what());
  } catch (...) {
    return InternalError("exception of an unknown type");
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
  std::vector<Thread> workers;
  for (int i = 0; i < std::max(1, options_.workers); ++i) {
    workers.emplace_back([this, stop] {
      while (ProcessNext(stop)) {
      }
    });
  }
}

bool Controller::ProcessNext(std::stop_token stop) {
  const std::optional<ObjectKey> key = queue_.Get(stop);
  if (key) {
    Process(*key, stop);
  }
  return key.has_value();
}

bool Controller::ProcessDue(std::stop_token stop) {
  const std::optional<ObjectKey> key = queue_.TryGet();
  if (key) {
    Process(*key, stop);
  }
  return key.has_value();
}

void Controller::Process(const ObjectKey& key, const std::stop_token& stop) {
  const MonoTime begin = clock_.Mono();
  const absl::StatusOr<Result> result = Guarded(reconciler_, key, stop);
  Settle(key, result, absl::FromChrono(clock_.Mono() - begin));
  queue_.Done(key);
}

void Controller::Settle(const ObjectKey& key, const absl::StatusOr<Result>& result,
                        absl::Duration took) {
  const absl::Status& status = result.status();
  const std::string error = absl::StatusCodeToString(status.code());
  switch (OutcomeOf(result)) {
    case Outcome::kSuccess:
      queue_.Forget(key);
      return observer_.Reconciled(name_, "success", "", took);
    case Outcome::kRequeue:
      queue_.Forget(key);
      queue_.AddAfter(key, *result->requeue_after());
      return observer_.Reconciled(name_, "requeue", "", took);
    case Outcome::kCancelled:
      // Not lost: whoever runs the controller next looks again.
      return queue_.AddRateLimited(key);
    case Outcome::kTerminal:
      queue_.Forget(key);
      LogFailure(name_, key, status);
      return observer_.Reconciled(name_, "error", error, took);
    case Outcome::kRetryAfter:
      queue_.AddAfter(key, RetryAfter(status));
      LogFailure(name_, key, status);
      return observer_.Reconciled(name_, "error", error, took);
    case Outcome::kRetry:
      queue_.AddRateLimited(key);
      LogFailure(name_, key, status);
      return observer_.Reconciled(name_, "error", error, took);
  }
}

}  // namespace korder::kube
