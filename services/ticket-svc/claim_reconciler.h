// Gives the Ready tickets of a namespace to its waiting pods, as DecideClaims says. The key of a
// reconcile is a namespace.
//
// An assignment is one write: the ticket's status.handoff, guarded by its resourceVersion. From
// then on the ticket's own reconciler goes on with the handoff.
#pragma once

#include <set>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// The rooms that may be claimed in a namespace now, as the stores show them.
std::vector<Room> RoomsIn(const World& world, const std::string& ns);

// Thread-safe.
class ClaimReconciler final : public kube::Reconciler {
 public:
  // Borrows everything.
  ClaimReconciler(kube::Client& client, const World& world, kube::EventRecorder& events,
                  const Clock& clock, absl::Duration default_timeout);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

  // The namespaces that wait for a handoff on some node to end; they are forgotten by the call.
  std::set<std::string> TakeWaitingFor(const std::string& node);

 private:
  ClaimsObserved Observe(const std::string& ns);
  absl::Status Assign(const Assignment& assignment, std::stop_token stop);
  absl::Status Fallback(const Waiter& waiter, std::stop_token stop);
  absl::Status ClearMark(const api::Pod& pod, std::stop_token stop);
  void Announce(const std::vector<Waiter>& waiting);
  // Takes the node for a handoff; false when another namespace was faster.
  bool Lock(const std::string& node);
  void Unlock(const std::string& node);

  kube::Client& client_;
  const World& world_;
  kube::EventRecorder& events_;
  const Clock& clock_;
  const absl::Duration default_timeout_;

  Mutex mu_;
  // Nodes promised by this process whose tickets the watch has not shown with a handoff yet.
  absl::flat_hash_map<std::string, MonoTime> promised_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::set<std::string>> waiting_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> announced_ ABSL_GUARDED_BY(mu_);  // UIDs of pods that were told to wait
};

}  // namespace korder::ticket
