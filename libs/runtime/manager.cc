#include "runtime/manager.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/thread.h"
#include "runtime/thread_name.h"

namespace korder::runtime {
namespace {

// Threads that are stopped together.
class Phase {
 public:
  explicit Phase(const char* name) : name_(name) {}
  ~Phase() { Stop(); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  void Add(std::function<void()> body) { threads_.emplace_back(std::move(body)); }
  // Requests the stop and waits for all.
  void Stop() {
    if (!threads_.empty()) {
      log::Debug("stopping", {{"phase", name_}});
    }
    stop_.request_stop();
    threads_.clear();
  }

 private:
  const char* const name_;
  std::stop_source stop_;
  std::vector<Thread> threads_;
};

template <class Fn>
struct Named {
  std::string name;
  Fn fn;
};

}  // namespace

struct Manager::Impl {
  explicit Impl(const Clock& c) : clock(c) {}

  absl::Status Run(std::stop_token stop, kube::LeaderElector* elector);
  void StartServers(Phase& phase);
  void StartInformers(Phase& phase);
  bool WaitForSync();
  void StartBackground(Phase& phase);
  void HoldLease(kube::LeaderElector* elector, std::stop_token stop);
  void Lead(std::stop_token lease, int64_t epoch);
  void StopLeading();
  void SetRunning(bool value);
  std::vector<std::string> Missing() const;
  void Fail(const std::string& part, const absl::Status& why);
  absl::Status Failure() const;
  // Runs a part; an exception in it ends the service.
  void Guard(const std::string& part, const std::function<void()>& body);

  const Clock& clock;
  std::vector<Named<ServerFn>> servers;
  std::vector<kube::InformerBase*> informers;
  std::vector<Named<BackgroundFn>> background;
  std::vector<Named<LeadingFn>> leading;
  std::vector<Named<std::function<absl::Status()>>> checks;

  // Requested when the service is to end, for whatever reason; the phases follow one by one.
  std::stop_source ending;
  std::stop_source stop_leading;
  // The parts exist only while the manager runs; Ready looks at them under this lock.
  mutable Mutex running_mu;
  bool running ABSL_GUARDED_BY(running_mu) = false;
  mutable Mutex mu;
  CondVar changed;
  bool work_under_way ABSL_GUARDED_BY(mu) = false;  // leading parts run
  absl::Status failure ABSL_GUARDED_BY(mu);

  // Blocks until stop is requested.
  void WaitFor(std::stop_token stop) {
    const MutexLock lock(mu);
    changed.Wait(mu, std::move(stop), [] { return false; });
  }
};

void Manager::Impl::Fail(const std::string& part, const absl::Status& why) {
  {
    const MutexLock lock(mu);
    if (failure.ok()) {
      failure = Annotate(why, part);
    }
  }
  ending.request_stop();
}

absl::Status Manager::Impl::Failure() const {
  const MutexLock lock(mu);
  return failure;
}

void Manager::Impl::Guard(const std::string& part, const std::function<void()>& body) {
  SetThreadName(part);
  try {
    body();
  } catch (const std::exception& e) {
    Fail(part, InternalError(absl::StrCat("uncaught exception: ", e.what())));
  }
}

void Manager::Impl::StartServers(Phase& phase) {
  for (const auto& server : servers) {
    phase.Add([this, &server, stop = phase.token()] {
      Guard(server.name, [&] {
        const absl::Status status = server.fn(stop);
        if (!status.ok()) {
          Fail(server.name, status);
        } else if (!stop.stop_requested()) {
          Fail(server.name, InternalError("ended by itself"));
        }
      });
    });
  }
}

void Manager::Impl::StartInformers(Phase& phase) {
  for (kube::InformerBase* informer : informers) {
    const std::string name = absl::StrCat("informer ", std::string(informer->resource()));
    phase.Add([this, informer, name, stop = phase.token()] {
      Guard(name, [&] {
        informer->Run(stop);
        if (!stop.stop_requested()) {
          Fail(name, InternalError("ended by itself"));
        }
      });
    });
  }
}

bool Manager::Impl::WaitForSync() {
  const MonoTime begin = clock.Mono();
  for (kube::InformerBase* informer : informers) {
    if (!informer->WaitForSync(ending.get_token())) {
      return false;
    }
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.Mono() - begin);
  log::Info("informers synced", {{"informers", informers.size()}, {"took_ms", took.count()}});
  return !ending.stop_requested();
}

void Manager::Impl::StartBackground(Phase& phase) {
  for (const auto& part : background) {
    phase.Add([this, &part, stop = phase.token()] { Guard(part.name, [&] { part.fn(stop); }); });
  }
}

// Runs the leading parts until leadership is lost or it is their turn to stop; then keeps the lease
// until `lease` ends, because it is released last of all.
void Manager::Impl::Lead(std::stop_token lease, int64_t epoch) {
  {
    const MutexLock lock(mu);
    work_under_way = !stop_leading.stop_requested();
  }
  {
    Phase work("leading");
    std::stop_source over;
    const std::stop_callback lost(lease, [&] { over.request_stop(); });
    const std::stop_callback ended(stop_leading.get_token(), [&] { over.request_stop(); });
    for (const auto& part : leading) {
      if (over.stop_requested()) {
        break;
      }
      work.Add([this, &part, epoch, stop = work.token()] {
        Guard(part.name, [&] { part.fn(stop, epoch); });
      });
    }
    WaitFor(over.get_token());
  }
  {
    const MutexLock lock(mu);
    work_under_way = false;
  }
  changed.NotifyAll();
  WaitFor(std::move(lease));
}

void Manager::Impl::StopLeading() {
  stop_leading.request_stop();
  const MutexLock lock(mu);
  changed.Wait(mu, std::stop_token(),
               [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return !work_under_way; });
}

void Manager::Impl::HoldLease(kube::LeaderElector* elector, std::stop_token stop) {
  if (elector == nullptr) {
    return Lead(std::move(stop), 0);
  }
  elector->Run(stop,
               [this](std::stop_token lease, int64_t epoch) { Lead(std::move(lease), epoch); });
  if (!stop.stop_requested()) {
    Fail("leader election", InternalError("ended by itself"));
  }
}

absl::Status Manager::Impl::Run(std::stop_token stop, kube::LeaderElector* elector) {
  const std::stop_callback outer(stop, [this] { ending.request_stop(); });
  Phase lease("lease");
  Phase serving("servers");
  Phase informing("informers");
  Phase working("background");

  StartServers(serving);
  StartInformers(informing);
  SetRunning(true);
  if (WaitForSync()) {
    StartBackground(working);
    lease.Add([this, elector, held = lease.token()] {
      Guard("leader election", [&] { HoldLease(elector, held); });
    });
    WaitFor(ending.get_token());
  }
  SetRunning(false);

  StopLeading();
  working.Stop();
  informing.Stop();
  serving.Stop();
  lease.Stop();
  return Failure();
}

void Manager::Impl::SetRunning(bool value) {
  const MutexLock lock(running_mu);
  running = value;
}

std::vector<std::string> Manager::Impl::Missing() const {
  const MutexLock lock(running_mu);
  if (!running) {
    return {ending.stop_requested() ? "service: is stopping" : "service: is starting"};
  }
  std::vector<std::string> missing;
  for (const kube::InformerBase* informer : informers) {
    if (!informer->synced()) {
      missing.push_back(
          absl::StrCat("informer ", std::string(informer->resource()), ": not synced yet"));
    }
  }
  for (const auto& check : checks) {
    if (const absl::Status status = check.fn(); !status.ok()) {
      missing.push_back(absl::StrCat(check.name, ": ", std::string(Message(status))));
    }
  }
  return missing;
}

Manager::Manager(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}

Manager::~Manager() = default;

void Manager::AddServer(std::string name, ServerFn run) {
  impl_->servers.push_back({std::move(name), std::move(run)});
}

void Manager::AddInformer(kube::InformerBase& informer) { impl_->informers.push_back(&informer); }

void Manager::AddBackground(std::string name, BackgroundFn run) {
  impl_->background.push_back({std::move(name), std::move(run)});
}

void Manager::AddWhileLeading(std::string name, LeadingFn run) {
  impl_->leading.push_back({std::move(name), std::move(run)});
}

void Manager::AddReadyCheck(std::string name, std::function<absl::Status()> check) {
  impl_->checks.push_back({std::move(name), std::move(check)});
}

absl::Status Manager::Run(std::stop_token stop, kube::LeaderElector* elector) {
  return impl_->Run(std::move(stop), elector);
}

absl::Status Manager::Ready() const {
  const std::vector<std::string> missing = impl_->Missing();
  return missing.empty() ? absl::OkStatus() : UnavailableError(absl::StrJoin(missing, "\n"));
}

}  // namespace korder::runtime
