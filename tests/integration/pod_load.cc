#include "pod_load.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/pause.h"

namespace korder::integration {
namespace {

constexpr char kContainers[] =
    R"("containers":[{"name":"app","image":"nginx","resources":{"requests":{"cpu":"10m","memory":"1Mi"}}}])";

}  // namespace

std::string AskingPodJson(const std::string& name, const std::string& fallback) {
  return absl::StrCat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name,
                      R"(","annotations":{"korder.dev/required":"true","korder.dev/fallback":")",
                      fallback, R"("}},"spec":{)", kContainers, "}}");
}

std::string BystanderJson(const std::string& name, bool gated) {
  return absl::StrCat(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name, R"("},"spec":{)",
      gated ? R"("schedulingGates":[{"name":"example.com/hold"}],)" : "", kContainers, "}}");
}

PodLoad::PodLoad(kube::Client& client, Options options)
    : client_(client), options_(std::move(options)), start_(absl::Now()) {
  for (int i = 0; i < options_.most_at_once; ++i) {
    workers_.emplace_back([this](std::stop_token stop) { Work(std::move(stop)); });
  }
}

PodLoad::Result PodLoad::Stop() {
  for (std::jthread& worker : workers_) {
    worker.request_stop();
  }
  workers_.clear();
  const MutexLock lock(mu_);
  return {.sent = sent_,
          .failed = failed_,
          .first_error = first_error_,
          .per_second = sent_ / absl::ToDoubleSeconds(absl::Now() - start_)};
}

void PodLoad::Work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const int number = next_++;
    const absl::Time due = start_ + absl::Seconds(number / options_.per_second);
    if (!Pause(due - absl::Now(), stop)) {
      return;
    }
    Send(number);
  }
}

void PodLoad::Send(int number) {
  const bool deny = options_.deny_every > 0 && number % options_.deny_every == 0;
  // Refused unless the API server reaches the webhook and trusts it.
  const auto made = client_.Raw(
      {"POST", absl::StrCat("/api/v1/namespaces/", options_.ns, "/pods?dryRun=All"),
       "application/json", AskingPodJson(absl::StrCat("load-", number), deny ? "deny" : "wait")});
  ++sent_;
  if (!made.ok()) {
    ++failed_;
    const MutexLock lock(mu_);
    if (first_error_.empty()) {
      first_error_ = ToString(made.status());
    }
  }
}

}  // namespace korder::integration
