#include "ticket-svc/fence.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "base/random.h"
#include "base/status_macros.h"

namespace korder::ticket {
namespace {

// A valid name that nobody gives a node.
constexpr char kNowhere[] = "korder.dev-no-such-node";
// The key under which fences of an earlier process are removed.
constexpr char kStrays[] = "(strays)";

std::string NewName() {
  return absl::StrCat("korder-fence-", absl::Hex(RandomWord(), absl::kZeroPad8),
                      absl::Hex(RandomWord(), absl::kZeroPad8));
}

bool HasAnswer(const OwnPod& pod) { return pod.unschedulable.has_value(); }

}  // namespace

api::Pod FencePod(const std::string& ns, const std::string& name, const std::string& scheduler,
                  const GuardianOptions& options) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = name;
  pod.metadata.labels = {{std::string(api::kLabelRole), std::string(api::kRoleFence)}};
  RestrictPod(pod.spec);
  AddPullSecrets(options, pod.spec);
  pod.spec.containers = {RestrictedContainer("fence", options.image)};
  pod.spec.scheduler_name = scheduler;
  pod.spec.priority_class_name = options.priority_class;  // Looked at before everybody else.
  PinToNode(kNowhere, pod.spec.affinity);
  return pod;
}

bool IsFence(const OwnPod& pod) { return pod.role == OwnRole::kFence; }

Fences::Fences(kube::Client& client, std::string ns, GuardianOptions options)
    : client_(client), ns_(std::move(ns)), options_(std::move(options)) {}

void Fences::Connect(std::function<void(const kube::ObjectKey&)> enqueue,
                     std::function<void()> passed) {
  enqueue_ = std::move(enqueue);
  passed_ = std::move(passed);
}

Fences::Token Fences::Ask(const std::string& scheduler) {
  Token token = 0;
  {
    const MutexLock lock(mu_);
    token = ++lines_[scheduler].asked;
  }
  enqueue_({"", scheduler});
  return token;
}

bool Fences::Passed(const std::string& scheduler, Token token) const {
  const MutexLock lock(mu_);
  const auto it = lines_.find(scheduler);
  return it != lines_.end() && it->second.passed >= token;
}

void Fences::OnPod(const OwnPod* was, const OwnPod* is) {
  const OwnPod& pod = is != nullptr ? *is : *was;
  if (pod.metadata.ns != ns_) {
    return;
  }
  std::string wake;
  {
    const MutexLock lock(mu_);
    for (auto& [scheduler, line] : lines_) {
      if (line.pod == pod.metadata.name) {
        line.answered = line.answered || (is != nullptr && HasAnswer(*is));
        line.gone = is == nullptr;
        wake = line.answered || line.gone ? scheduler : "";
        break;
      }
    }
    if (is == nullptr) {
      strays_.erase(pod.metadata.name);
    } else if (wake.empty() && was == nullptr) {
      strays_.insert(pod.metadata.name);
      wake = kStrays;
    }
  }
  if (!wake.empty()) {
    enqueue_({"", wake});
  }
}

absl::StatusOr<kube::Result> Fences::Reconcile(const kube::ObjectKey& key, std::stop_token stop) {
  if (key.name != kStrays) {
    RETURN_IF_ERROR(Advance(key.name, stop));
  }
  RETURN_IF_ERROR(RemoveStrays(std::move(stop)));
  return kube::Result::Done();
}

absl::Status Fences::Advance(const std::string& scheduler, std::stop_token stop) {
  bool passed = false;
  bool out = false;
  {
    const MutexLock lock(mu_);
    Line& line = lines_[scheduler];
    if (!line.pod.empty() && (line.answered || line.gone)) {
      passed = line.answered;
      line.passed = passed ? line.covers : line.passed;
      if (!line.gone) {
        strays_.insert(line.pod);
      }
      line.pod.clear();
    }
    out = !line.pod.empty();
  }
  if (passed) {
    passed_();
  }
  return out ? absl::OkStatus() : Put(scheduler, std::move(stop));
}

absl::Status Fences::Put(const std::string& scheduler, std::stop_token stop) {
  std::string name;
  {
    const MutexLock lock(mu_);
    Line& line = lines_[scheduler];
    if (line.asked == line.passed) {
      return absl::OkStatus();
    }
    // Noted before it is made: its watch event may come before the server's answer.
    name = NewName();
    line.pod = name;
    line.covers = line.asked;
    line.answered = line.gone = false;
  }
  const absl::StatusOr<api::Pod> made =
      client_.Create(FencePod(ns_, name, scheduler, options_), {.stop = std::move(stop)});
  if (made.ok()) {
    return absl::OkStatus();
  }
  // It may be there all the same; then it is a stray, and another one is made.
  const MutexLock lock(mu_);
  Line& line = lines_[scheduler];
  if (line.pod == name) {
    line.pod.clear();
    strays_.insert(name);
  }
  return made.status();
}

absl::Status Fences::RemoveStrays(std::stop_token stop) {
  std::vector<std::string> names;
  {
    const MutexLock lock(mu_);
    for (const std::string& name : strays_) {
      bool wanted = false;
      for (const auto& [scheduler, line] : lines_) {
        wanted = wanted || line.pod == name;
      }
      if (!wanted) {
        names.push_back(name);
      }
    }
  }
  for (const std::string& name : names) {
    const absl::Status gone =
        client_.Delete<api::Pod>({ns_, name}, {.grace_period_seconds = 0}, {.stop = stop});
    if (!gone.ok() && !absl::IsNotFound(gone)) {
      return gone;
    }
    const MutexLock lock(mu_);
    strays_.erase(name);
  }
  return absl::OkStatus();
}

}  // namespace korder::ticket
