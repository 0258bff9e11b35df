// Asks a scheduler whether it has seen everything that was written before now.
//
// The scheduler says nothing about a nomination that it has seen. But it handles its events in
// their order, and says of a pod that fits nowhere that it is unschedulable. So a pod that fits
// nowhere, made after the nomination, is the question, and its condition the answer. One such pod
// serves all who asked before it was made.
//
//   const Fences::Token token = fences.Ask("default-scheduler");
//   ... later, when `passed` has been called ...
//   if (fences.Passed("default-scheduler", token)) { ... }
//
// A reconciler whose keys are {"", scheduler name}; fence pods live in korder's own namespace and
// are deleted as soon as they have answered. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "api/core/pod.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::ticket {

// A pod that no node can take. Pure.
api::Pod FencePod(const std::string& ns, const std::string& name, const std::string& scheduler,
                  const GuardianOptions& options);
bool IsFence(const OwnPod& pod);

class Fences final : public kube::Reconciler {
 public:
  // Grows with every question to one scheduler.
  using Token = uint64_t;

  // Borrows the client. Fence pods are made in `ns`, of the guardians' image and priority class.
  Fences(kube::Client& client, std::string ns, GuardianOptions options);

  // REQUIRES for both: before the first Ask. `enqueue` wakes this reconciler for a scheduler,
  // `passed` is called whenever a question has been answered.
  void Connect(std::function<void(const kube::ObjectKey&)> enqueue, std::function<void()> passed);

  Token Ask(const std::string& scheduler);
  bool Passed(const std::string& scheduler, Token token) const;

  // The informer's handler, for pods that are fences.
  void OnPod(const OwnPod* was, const OwnPod* is);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  struct Line {
    Token asked = 0;
    Token passed = 0;
    // The pod that is out now, and the last question that it answers; "" when there is none.
    std::string pod;
    Token covers = 0;
    bool answered = false;
    bool gone = false;
  };

  // Takes the answer if there is one, and asks the next question if somebody has one.
  absl::Status Advance(const std::string& scheduler, std::stop_token stop);
  absl::Status Put(const std::string& scheduler, std::stop_token stop);
  // Deletes fences that have answered, and those of an earlier process.
  absl::Status RemoveStrays(std::stop_token stop);

  kube::Client& client_;
  const std::string ns_;
  const GuardianOptions options_;
  std::function<void(const kube::ObjectKey&)> enqueue_;
  std::function<void()> passed_;

  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Line> lines_ ABSL_GUARDED_BY(mu_);  // by scheduler
  std::set<std::string> strays_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
