// Does what DecideClaims says for the waiting pods of one namespace: promises tickets to pods, lets
// go whose time is over, tells who has to wait. The promise is one write to the Ticket's status,
// guarded by its resourceVersion; what follows from it is the handoff's business.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/node_locks.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// The key of a namespace in the claims queue.
inline kube::ObjectKey NamespaceKey(const std::string& ns) { return {"", ns}; }

// Thread-safe; the controller never calls it for one namespace at the same time.
class ClaimReconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    NodeLocks& locks;
    kube::EventRecorder& events;
    const Clock& clock;
  };

  // Borrows all parts. `promised` is called with a node once tickets on it have been promised, to
  // begin their handoffs.
  ClaimReconciler(Parts parts, ClaimRules rules,
                  std::function<void(const std::string& node)> promised);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  ClaimsObserved Observe(const std::string& ns);
  std::set<std::string> BusyNodes() const;
  // How long each of the pods that wait has waited; forgets the others of the namespace.
  std::map<std::string, absl::Duration> Waited(const std::string& ns,
                                               const std::vector<PodPtr>& pods);

  // True when some could not be promised now and it is worth to look again.
  absl::StatusOr<bool> Promise(const std::vector<Assignment>& assignments, std::stop_token stop);
  // Those of one node. The node is locked meanwhile, so that their handoffs begin together.
  absl::Status PromiseOnNode(const std::string& node, std::span<const Assignment* const> batch,
                             std::stop_token stop);
  absl::Status PromiseOne(const Assignment& assignment, std::stop_token stop);
  absl::Status FallBack(const Waiter& waiter, std::stop_token stop);
  absl::Status ClearMark(const api::Pod& pod, std::stop_token stop);
  // One event per pod that has to wait.
  void Announce(const std::string& ns, const std::vector<Waiter>& waiting);

  const Parts parts_;
  const ClaimRules rules_;
  const std::function<void(const std::string&)> promised_;

  Mutex mu_;
  // UIDs of waiting pods that were told so, by namespace.
  std::map<std::string, std::set<std::string>> announced_ ABSL_GUARDED_BY(mu_);
  // By namespace and UID: since when a pod has been seen waiting.
  std::map<std::string, std::map<std::string, MonoTime>> waiting_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
