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
#include <vector>

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

  // Call when leadership begins: another may have led in between, and what an earlier term was
  // unsure of is its business no more.
  void ForgetAll();

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

 private:
  struct PromisedTicket {
    PodPtr pod;
    api::Ticket ticket;  // as it is to be written
  };

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
  absl::Status Write(const PromisedTicket& promise, std::stop_token stop);
  // Repeats writes whose answer was lost until it is known what became of each: otherwise the pod
  // might be promised another ticket, too. An error: of some it is not known yet.
  absl::Status SettleUnsure(const std::string& ns, std::stop_token stop);
  absl::Status FallBack(const Waiter& waiter, std::stop_token stop);
  absl::Status ClearMark(const api::Pod& pod, std::stop_token stop);
  // One event per pod that has to wait.
  void Announce(const std::string& ns, const std::vector<Waiter>& waiting);

  const Parts parts_;
  const ClaimRules rules_;
  const std::function<void(const std::string&)> promised_;

  Mutex mu_;
  // By namespace.
  std::map<std::string, std::vector<PromisedTicket>> unsure_ ABSL_GUARDED_BY(mu_);
  // UIDs of waiting pods that were told so, by namespace.
  std::map<std::string, std::set<std::string>> announced_ ABSL_GUARDED_BY(mu_);
  // By namespace and UID: since when a pod has been seen waiting.
  std::map<std::string, std::map<std::string, MonoTime>> waiting_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
