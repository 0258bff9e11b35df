#include "kube/testing/fake_api_server.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "kube/api_error.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/api_server.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube {
namespace {

enum class FaultKind { kNone, kAnswer, kLoseRequest, kLoseResponse, kDuplicate };

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::string verb;
  std::string resource;
  int times = 1;
  int http_status = 0;
  absl::Duration retry_after;

  bool Meets(const ServedCall& call) const {
    return (verb.empty() || verb == call.verb) && (resource.empty() || resource == call.resource);
  }
};

ServedCall NoteOf(const fake::ApiCall& call) {
  return {call.verb, call.ResourcePath(), call.key, call.body, 0};
}

HttpResponse ScriptedAnswer(const Fault& fault) {
  HttpResponse response = fake::Scripted(fault.http_status);
  response.retry_after = fault.retry_after;
  return response;
}

absl::Status Lost() { return UnavailableError("connection reset because a test asked for it"); }

}  // namespace

struct FakeApiServer::Shared {
  Shared(const Clock& clock, FakeApiOptions opts) : options(opts), api(clock) {}

  // What happens to this request, if anything but what it asks for.
  Fault TakeFault(const ServedCall& call) {
    const MutexLock lock(mu);
    const auto it = std::find_if(faults.begin(), faults.end(),
                                 [&](const Fault& fault) { return fault.Meets(call); });
    if (it == faults.end()) {
      return {};
    }
    const Fault fault = *it;
    if (--it->times <= 0) {
      faults.erase(it);
    }
    return fault;
  }

  HttpResponse Perform(const fake::ApiCall& call) {
    const MutexLock lock(mu);
    HttpResponse response = api.Perform(call);
    if (call.IsWrite() && options.collect_garbage) {
      api.CollectGarbage();
    }
    changed.NotifyAll();
    return response;
  }

  void Note(const ServedCall& call, int code) {
    const MutexLock lock(mu);
    log.push_back(call);
    log.back().code = code;
  }

  WriteHooks Hooks() {
    const MutexLock lock(mu);
    return hooks;
  }

  void Inject(Fault fault) {
    const MutexLock lock(mu);
    faults.push_back(std::move(fault));
  }

  const FakeApiOptions options;
  mutable Mutex mu;
  CondVar changed;
  fake::ApiServer api ABSL_GUARDED_BY(mu);
  std::deque<Fault> faults ABSL_GUARDED_BY(mu);
  WriteHooks hooks ABSL_GUARDED_BY(mu);
  std::vector<ServedCall> log ABSL_GUARDED_BY(mu);
  bool paused ABSL_GUARDED_BY(mu) = false;
};

class FakeApiServer::Stream final : public ByteStream {
 public:
  Stream(std::shared_ptr<Shared> shared, std::shared_ptr<fake::WatchFeed> feed,
         std::stop_token stop)
      : shared_(std::move(shared)), feed_(std::move(feed)), stop_(std::move(stop)) {}
  ~Stream() override {
    const MutexLock lock(shared_->mu);
    feed_.reset();
  }

  absl::StatusOr<std::string> Read(absl::Duration idle) override {
    const auto deadline = std::chrono::steady_clock::now() +
                          absl::ToChronoNanoseconds(std::min(idle, absl::Hours(1)));
    Shared& shared = *shared_;
    const MutexLock lock(shared.mu);
    const bool ready = shared.changed.WaitUntil(shared.mu, stop_, deadline,
                                                [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared.mu) {
                                                  return feed_->ready() && !shared.paused;
                                                });
    if (stop_.stop_requested()) {
      return CancelledError("stop");
    }
    if (!ready) {
      return DeadlineExceededError("nothing came");
    }
    return feed_->Take();
  }

 private:
  const std::shared_ptr<Shared> shared_;
  std::shared_ptr<fake::WatchFeed> feed_;
  const std::stop_token stop_;
};

FakeApiServer::FakeApiServer(const Clock& clock, FakeApiOptions options)
    : shared_(std::make_shared<Shared>(clock, options)) {}

FakeApiServer::~FakeApiServer() { EndWatches(UnavailableError("the server is gone")); }

absl::StatusOr<HttpResponse> FakeApiServer::Do(const HttpRequest& request,
                                               const CallOptions& options) {
  if (options.stop.stop_requested()) {
    return CancelledError("stop");
  }
  const absl::StatusOr<fake::ApiCall> call = fake::ParseCall(request);
  if (!call.ok()) {
    return fake::NoSuchPath();
  }
  ServedCall note = NoteOf(*call);
  const WriteHooks hooks = call->IsWrite() ? shared_->Hooks() : WriteHooks();
  if (hooks.before) {
    hooks.before(note);
  }
  const Fault fault = shared_->TakeFault(note);
  if (fault.kind == FaultKind::kLoseRequest) {
    shared_->Note(note, 0);
    return Lost();
  }
  if (fault.kind == FaultKind::kDuplicate) {
    shared_->Perform(*call);
  }
  HttpResponse response =
      fault.kind == FaultKind::kAnswer ? ScriptedAnswer(fault) : shared_->Perform(*call);
  const bool lost = fault.kind == FaultKind::kLoseResponse;
  note.code = lost ? 0 : response.status;
  shared_->Note(note, note.code);
  if (hooks.after) {
    hooks.after(note);
  }
  if (lost) {
    return Lost();
  }
  return response;
}

absl::StatusOr<StreamResponse> FakeApiServer::Open(const HttpRequest& request,
                                                   const CallOptions& options) {
  const absl::StatusOr<fake::ApiCall> call = fake::ParseCall(request);
  if (!call.ok() || call->verb != "watch") {
    // The real server would answer as to any request; only the body would come as a stream.
    ASSIGN_OR_RETURN(const HttpResponse response, Do(request, options));
    return StreamResponse{.status = IsSuccess(response.status) ? 405 : response.status,
                          .retry_after = response.retry_after,
                          .error_body = response.body};
  }
  if (options.stop.stop_requested()) {
    return CancelledError("stop");
  }
  const ServedCall note = NoteOf(*call);
  const Fault fault = shared_->TakeFault(note);
  if (fault.kind == FaultKind::kLoseRequest || fault.kind == FaultKind::kLoseResponse) {
    shared_->Note(note, 0);
    return Lost();
  }
  fake::ApiServer::Watch watch;
  if (fault.kind == FaultKind::kAnswer) {
    watch.refusal = ScriptedAnswer(fault);
  } else {
    const MutexLock lock(shared_->mu);
    watch = shared_->api.StartWatch(*call);
  }
  const int code = watch.refusal ? watch.refusal->status : 200;
  shared_->Note(note, code);
  if (watch.refusal) {
    return StreamResponse{.status = code,
                          .retry_after = watch.refusal->retry_after,
                          .error_body = std::move(watch.refusal->body)};
  }
  return StreamResponse{
      .status = code,
      .body = std::make_unique<Stream>(shared_, std::move(watch.feed), options.stop)};
}

void FakeApiServer::FailNext(std::string verb, std::string resource, int http_status, int times,
                             absl::Duration retry_after) {
  shared_->Inject(
      {FaultKind::kAnswer, std::move(verb), std::move(resource), times, http_status, retry_after});
}

void FakeApiServer::LoseNextRequest(std::string verb, std::string resource, int times) {
  shared_->Inject({FaultKind::kLoseRequest, std::move(verb), std::move(resource), times});
}

void FakeApiServer::LoseNextResponse(std::string verb, std::string resource, int times) {
  shared_->Inject({FaultKind::kLoseResponse, std::move(verb), std::move(resource), times});
}

void FakeApiServer::DuplicateNext(std::string verb, std::string resource, int times) {
  shared_->Inject({FaultKind::kDuplicate, std::move(verb), std::move(resource), times});
}

void FakeApiServer::OnWrite(WriteHooks hooks) {
  const MutexLock lock(shared_->mu);
  shared_->hooks = std::move(hooks);
}

void FakeApiServer::SendBookmarks() {
  const MutexLock lock(shared_->mu);
  shared_->api.SendBookmarks();
  shared_->changed.NotifyAll();
}

void FakeApiServer::EndWatches(const absl::Status& status) {
  const MutexLock lock(shared_->mu);
  for (const auto& feed : shared_->api.Feeds()) {
    feed->End(status);
  }
  shared_->changed.NotifyAll();
}

void FakeApiServer::PauseWatches() {
  const MutexLock lock(shared_->mu);
  shared_->paused = true;
}

void FakeApiServer::ResumeWatches() {
  const MutexLock lock(shared_->mu);
  shared_->paused = false;
  shared_->changed.NotifyAll();
}

void FakeApiServer::Compact() {
  const MutexLock lock(shared_->mu);
  shared_->api.Compact();
}

void FakeApiServer::CollectGarbage() {
  const MutexLock lock(shared_->mu);
  shared_->api.CollectGarbage();
  shared_->changed.NotifyAll();
}

std::vector<ServedCall> FakeApiServer::Log() const {
  const MutexLock lock(shared_->mu);
  return shared_->log;
}

int FakeApiServer::Count(std::string_view verb, std::string_view resource) const {
  const MutexLock lock(shared_->mu);
  return static_cast<int>(std::count_if(
      shared_->log.begin(), shared_->log.end(),
      [&](const ServedCall& call) { return call.verb == verb && call.resource == resource; }));
}

void FakeApiServer::ClearLog() {
  const MutexLock lock(shared_->mu);
  shared_->log.clear();
}

}  // namespace korder::kube
