// Does what Decide says for one Order: reserves at quota-svc, creates, renews and deletes Tickets,
// writes the Order's status. Reads stores, writes through the client; decides nothing itself.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "kube/store.h"
#include "order-svc/decide.h"
#include "order-svc/pace.h"
#include "runtime/ledger_client.h"

namespace korder::order {

// The ledger as the reconciler needs it: quota-svc, or a double in tests.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual absl::StatusOr<std::vector<runtime::LedgerDecision>> Reserve(
      const std::string& ns, const runtime::LedgerClaim& claim,
      const std::vector<runtime::LedgerReservation>& wanted, std::stop_token stop) = 0;
  virtual absl::Status Release(const std::vector<std::string>& ids, std::stop_token stop) = 0;
};

// Thread-safe; the controller never calls it for one key at the same time.
class Reconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    const kube::Store<api::Order>& orders;
    const kube::Store<OrderTicket>& tickets;  // with the index kOwnerIndex
    const kube::Store<api::Node>& nodes;
    Ledger& ledger;
    Pace& pace;
    kube::EventRecorder& events;
    const Clock& clock;
    // How late after its time a window begins; may be absent.
    std::function<void(absl::Duration)> on_window_start = {};
  };

  // Borrows all parts.
  explicit Reconciler(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

  // Call when a ticket of an order is gone: one that came and went between two looks would be
  // waited for for ever.
  void Gone(const OrderTicket& ticket);
  // Call when leadership begins: what an earlier term remembered may be outdated.
  void ForgetAll();

 private:
  struct Known {
    std::optional<Memory> memory;
    std::set<int64_t> gone;  // since the look that is under way began
    // Made, and not in the store when this was noted.
    std::set<int64_t> missing;
    MonoTime missing_since{};
  };
  // The last write of an Order's status.
  struct Written {
    MonoTime at;  // or when there was something to write for the first time
    std::string uid;
    std::string base_version;  // the resourceVersion that it was based on; empty: none yet
  };

  std::optional<Observed> Observe(const kube::ObjectKey& key);
  // Asks the API server for tickets that have been missing from the store for long: one that was
  // deleted before the store had it, while no watch told, will never be seen.
  absl::Status LookForMissing(Observed& observed, std::stop_token stop);
  // As many of the wanted tickets as quotas and pace allow.
  absl::StatusOr<Outcome> Create(const api::Order& order, const std::vector<NewTicket>& wanted,
                                 absl::Time now, std::stop_token stop);
  // What became of each creation; gives back the grants that were not used.
  absl::StatusOr<Outcome> Judge(const api::Order& order, const std::vector<NewTicket>& wanted,
                                const std::vector<runtime::LedgerDecision>& decisions,
                                const std::vector<std::string>& ids,
                                const std::vector<absl::Status>& made, std::stop_token stop);
  // Whether the ticket that has the name belongs to this order.
  absl::StatusOr<bool> IsOurs(const api::Order& order, int64_t ordinal, std::stop_token stop);
  // Notes what was renewed in `outcome`. One that changed meanwhile is left for the next turn.
  absl::Status Renew(const std::vector<RenewTicket>& tickets, Outcome& outcome,
                     std::stop_token stop);
  // Notes what was deleted in `outcome`; the first failure, if there was one.
  absl::Status Delete(const std::vector<DeleteTicket>& tickets, Outcome& outcome,
                      std::stop_token stop);
  // How long the status write has to wait so that a storm of ticket changes costs few writes.
  absl::Duration WriteDelay(const api::Order& order, const api::OrderStatus& status);
  absl::Status WriteStatus(const api::Order& order, const api::OrderStatus& status,
                           std::stop_token stop);
  void Emit(const api::Order& order, const Plan& plan, const Outcome& outcome);

  const Parts parts_;

  Mutex mu_;
  // By order UID.
  absl::flat_hash_map<std::string, Known> known_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<kube::ObjectKey, Written> written_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::order
